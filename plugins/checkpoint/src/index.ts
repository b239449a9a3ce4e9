/** Checkpoints and weights as training frameworks write them: safetensors and PyTorch's zip files. */

import { definePlugin, type Layout, type LayoutContext, type Plugin, type Reader } from '@mbk/plugin-sdk';
import { manifest } from './manifest.ts';
import { layoutSafetensors } from './safetensors/layout.ts';
import { layoutTorchZip } from './torch/layout.ts';

export const plugin: Plugin = definePlugin({
  ...manifest,
  layout,
});

/** A zip file's first four bytes would make a safetensors header of a gigabyte, so the two cannot be mistaken. */
async function layout(reader: Reader, context: LayoutContext): Promise<Layout | undefined> {
  if (reader.size < 4) return undefined;
  const [p, k, three, four] = await reader.read(0, 4, { signal: context.signal });
  const isZip = p === 0x50 && k === 0x4b && three === 3 && four === 4;
  return isZip ? layoutTorchZip(reader, context) : layoutSafetensors(reader, context);
}

export { layoutSafetensors } from './safetensors/layout.ts';
export { layoutTorchZip } from './torch/layout.ts';
