/** GGUF model files: versions 1 to 3, both byte orders. */

import { definePlugin, type Plugin } from '@mbk/plugin-sdk';
import { layoutGguf } from './layout.ts';

export const plugin: Plugin = definePlugin({
  apiVersion: 1,
  name: 'gguf',
  version: '1.0.0',
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
});

export { layoutGguf } from './layout.ts';
export { type GgufHeader, type GgufKeyValue, type GgufTensorInfo, readGgufHeader } from './header.ts';
export { type GgufArray, type GgufValueType } from './values.ts';
export { ggmlDtype } from './ggml-types.ts';
