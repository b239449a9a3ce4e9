/** GGUF model files: versions 1 to 3, both byte orders. */

import { definePlugin, type Plugin } from '@mbk/plugin-sdk';
import { diffGguf } from './diff.ts';
import { inspectGguf } from './inspect.ts';
import { layoutGguf } from './layout.ts';
import { rememberingSurveyor } from './survey.ts';
import { validateGguf } from './validate.ts';

/** `inspect` and `validate` of one file share what they read of it. */
const surveyor = rememberingSurveyor();

export const plugin: Plugin = definePlugin({
  apiVersion: 1,
  name: 'gguf',
  version: '1.1.0',
  description: 'GGUF models, vocabularies and adapters: facts, the rules of the format and of llama.cpp, differences.',
  match: [
    {
      kind: 'model/gguf',
      magic: [
        { offset: 0, bytes: '47475546' },
        { offset: 0, bytes: '46554747' },
      ],
    },
    // A file that is named GGUF and does not begin as one is still worth a word from a validator.
    { kind: 'model/gguf', extensions: ['.gguf'] },
  ],
  layout: layoutGguf,
  inspect: (reader, context) => inspectGguf(reader, context, surveyor),
  validate: (reader, context) => validateGguf(reader, context, surveyor),
  diff: diffGguf,
});

export { layoutGguf } from './layout.ts';
export { type GgufHeader, type GgufKeyValue, type GgufTensorInfo, readGgufHeader } from './header.ts';
export { type GgufArray, type GgufValueType } from './values.ts';
export { ggmlDtype } from './ggml-types.ts';
