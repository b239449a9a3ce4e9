/** What the plugin says of itself, without its code: a host matches files by it before it loads anything else. */

import type { Manifest } from '@mbk/plugin-sdk';

export const manifest: Manifest = {
  apiVersion: 1,
  name: 'checkpoint',
  version: '1.2.1',
  description:
    'safetensors, PyTorch, pickles, NumPy, ONNX and LoRA: facts, rules, what a pickle would run, differences.',
  match: [
    { kind: 'model/shard-index', extensions: ['.safetensors.index.json', '.bin.index.json'] },
    { kind: 'model/safetensors', extensions: ['.safetensors'] },
    { kind: 'model/onnx', extensions: ['.onnx'] },
    { kind: 'checkpoint/numpy', extensions: ['.npy', '.npz'] },
    { kind: 'checkpoint/pytorch', extensions: ['.pt', '.pth', '.ckpt', '.jit', '.ptl', '.pt2'] },
    { kind: 'checkpoint/pickle', extensions: ['.pkl', '.pickle', '.joblib'] },
    // Files of any other kind are named .bin too: their first bytes decide.
    {
      kind: 'checkpoint/pytorch',
      extensions: ['.bin'],
      magic: ['504b0304', '8000', '8001', '8002', '8003', '8004', '8005'].map((bytes) => ({ offset: 0, bytes })),
    },
    // Download caches name files by hash: a length below 2^32 and the first key of a JSON object tell enough.
    { kind: 'model/safetensors', magic: [{ offset: 4, bytes: '000000007b22' }] },
    { kind: 'checkpoint/pytorch', magic: [{ offset: 0, bytes: '80028a0a6cfc9c46f9206aa850192e' }] },
    {
      kind: 'checkpoint/pickle',
      magic: [
        { offset: 0, bytes: '800495' },
        { offset: 0, bytes: '800595' },
      ],
    },
    { kind: 'checkpoint/numpy', magic: [{ offset: 0, bytes: '934e554d5059' }] },
  ],
  options: {
    type: 'object',
    additionalProperties: false,
    properties: {
      unknownGlobals: {
        type: 'string',
        enum: ['warning', 'error'],
        default: 'warning',
        description: 'What it is when a pickle imports a name that is on no list.',
      },
    },
  },
  contributes: ['layout', 'inspect', 'validate', 'diff'],
};
