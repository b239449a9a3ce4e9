/** Checkpoints and weights as training frameworks write them: safetensors, PyTorch, pickles, NumPy, ONNX, LoRA. */

import { definePlugin, type Plugin } from '@mbk/plugin-sdk';
import { diffCheckpoint } from './diff.ts';
import { inspectCheckpoint } from './inspect.ts';
import { layoutCheckpoint } from './layout.ts';
import { manifest } from './manifest.ts';
import { type CheckpointOptions, rememberingSurveyor } from './survey.ts';
import { validateCheckpoint } from './validate.ts';

/** `inspect` and `validate` of one file share what they read of it. */
const surveyor = rememberingSurveyor();

export const plugin: Plugin = definePlugin<CheckpointOptions>({
  ...manifest,
  layout: layoutCheckpoint,
  inspect: (reader, context) => inspectCheckpoint(reader, context, surveyor),
  validate: (reader, context) => validateCheckpoint(reader, context, surveyor),
  diff: diffCheckpoint,
});

export { layoutSafetensors } from './safetensors/layout.ts';
export { layoutTorchZip } from './torch/layout.ts';
