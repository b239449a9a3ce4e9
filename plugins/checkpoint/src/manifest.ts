/** What the plugin says of itself, without its code: a host matches files by it before it loads anything else. */

import type { Manifest } from '@mbk/plugin-sdk';

export const manifest: Manifest = {
  apiVersion: 1,
  name: 'checkpoint',
  version: '1.0.0',
  match: [
    { kind: 'model/safetensors', extensions: ['.safetensors'] },
    // Download caches name files by hash: a length below 2^32 and the first key of a JSON object tell enough.
    { kind: 'model/safetensors', magic: [{ offset: 4, bytes: '000000007b22' }] },
    {
      kind: 'checkpoint/pytorch',
      extensions: ['.pt', '.pth', '.ckpt', '.bin', '.jit', '.ptl', '.pkl', '.pt2'],
      magic: [{ offset: 0, bytes: '504b0304' }],
    },
  ],
  contributes: ['layout'],
};
