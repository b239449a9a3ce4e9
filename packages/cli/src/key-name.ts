/** What a key is called when nobody says it. */

import type { Secret } from '@mbk/core';
import { userInfo } from 'node:os';
import { basename } from 'node:path';

/** Such as `ada on trainer-1`, `key file mbk.key`, `recovery key`; short enough that a number fits behind it. */
export function defaultKeyName(
  kind: Secret['kind'],
  { path, host }: { readonly path: string | undefined; readonly host: string },
): string {
  const name =
    kind === 'recovery'
      ? 'recovery key'
      : kind === 'key-file'
        ? `key file ${basename(path ?? '')}`
        : `${userName()} on ${host}`;
  return name
    .toWellFormed()
    .replace(/\p{Cc}/gu, '')
    .slice(0, 150)
    .toWellFormed()
    .trim();
}

function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return 'somebody'; // a user id without a name, as in some containers
  }
}
