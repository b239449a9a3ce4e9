/** What the plugin says of itself, without its code: a host matches files by it before it loads anything else. */

import type { Manifest } from '@mbk/plugin-sdk';

export const manifest: Manifest = {
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
  contributes: ['layout', 'inspect', 'validate', 'diff'],
};
