/** GGUF model files: versions 1 to 3, both byte orders. */

import { definePlugin, type Plugin } from '@mbk/plugin-sdk';
import { manifest } from './manifest.ts';
import { layoutGguf } from './layout.ts';

export const plugin: Plugin = definePlugin({
  ...manifest,
  layout: layoutGguf,
});

export { layoutGguf } from './layout.ts';
export { type GgufHeader, type GgufKeyValue, type GgufTensorInfo, readGgufHeader } from './header.ts';
export { type GgufArray, type GgufValueType } from './values.ts';
export { ggmlDtype } from './ggml-types.ts';
