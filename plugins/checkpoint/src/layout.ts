/** The `layout` of the plugin: by the first bytes of the file, whatever its name. */

import { isLayoutError, type Layout, type LayoutContext, LayoutError, makeLayout, type Reader } from '@mbk/plugin-sdk';
import { formatOf } from './formats.ts';
import { layoutNpy, layoutNpz } from './npy/layout.ts';
import { onnxTensors, readOnnx } from './onnx/model.ts';
import { layoutSafetensors } from './safetensors/layout.ts';
import { layoutTorchZip } from './torch/layout.ts';
import { layoutLegacy } from './torch/legacy.ts';

/** Undefined for what has no tensors in places of their own. LayoutError of the format. */
export async function layoutCheckpoint(reader: Reader, context: LayoutContext): Promise<Layout | undefined> {
  if (reader.size < 4) return undefined;
  switch (await formatOf(reader, context.signal)) {
    case 'zip':
      return (await layoutTorchZip(reader, context)) ?? layoutNpz(reader, context);
    case 'npy':
      return layoutNpy(reader, context);
    case 'legacy':
      return layoutLegacy(reader, context);
    case 'onnx':
      return reader.path.toLowerCase().endsWith('.onnx') ? layoutOnnx(reader, context) : undefined;
    case 'pickle':
    case 'empty':
      return undefined;
    default:
      return layoutSafetensors(reader, context);
  }
}

async function layoutOnnx(reader: Reader, context: LayoutContext): Promise<Layout | undefined> {
  try {
    const tensors = onnxTensors(await readOnnx(reader, context));
    return tensors.length === 0 ? undefined : makeLayout('onnx', tensors, reader.size, context.limits);
  } catch (error) {
    if (isLayoutError(error) && /\/(?:truncated|header-too-large)$/.test(error.code)) {
      throw new LayoutError('onnx/bad-protobuf', error.message, error.offset);
    }
    throw error;
  }
}
