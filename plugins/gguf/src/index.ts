/** GGUF model files: versions 1 to 3, both byte orders. */

import { definePlugin, type Plugin } from '@mbk/plugin-sdk';
import { diffGguf } from './diff.ts';
import { inspectGguf } from './inspect.ts';
import { manifest } from './manifest.ts';
import { layoutGguf } from './layout.ts';
import { rememberingSurveyor } from './survey.ts';
import { validateGguf } from './validate.ts';

/** `inspect` and `validate` of one file share what they read of it. */
const surveyor = rememberingSurveyor();

export const plugin: Plugin = definePlugin({
  ...manifest,
  layout: layoutGguf,
  inspect: (reader, context) => inspectGguf(reader, context, surveyor),
  validate: (reader, context) => validateGguf(reader, context, surveyor),
  diff: diffGguf,
});

export { layoutGguf } from './layout.ts';
export { type GgufHeader, type GgufKeyValue, type GgufTensorInfo, readGgufHeader } from './header.ts';
export { type GgufArray, type GgufValueType } from './values.ts';
export { ggmlDtype } from './ggml-types.ts';
