/** How a recovery key is handed to a person: once, and with what it is for. */

import { recoveryKeyText } from '@mbk/core';
import type { Styler } from './output.ts';

/** The key, and what to do with it. */
export function renderRecoveryKey(key: Uint8Array, style: Styler): string {
  return [
    'Recovery key, shown this once and stored nowhere:',
    '',
    `    ${style('bold', recoveryKeyText(key))}`,
    '',
    'Write it down and keep it away from this machine. It opens everything, alone: type it where a passphrase is asked ' +
      'for. Case, spaces and dashes do not matter.',
  ].join('\n');
}

/** What the loss of all keys means; said plainly where the keys are made. */
export const lossWarning =
  'Whoever loses every passphrase, key file and recovery key has lost the backups: nobody can open them then.';
