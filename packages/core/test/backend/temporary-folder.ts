import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll } from 'vitest';

/** Gives paths of folders that are not there yet, below one that is removed after the tests of the file. */
export function temporaryFolders(): () => string {
  const parent = mkdtempSync(join(tmpdir(), 'mbk-backend-'));
  let count = 0;
  afterAll(() => rmSync(parent, { recursive: true, force: true }));
  return () => {
    count += 1;
    return join(parent, `repository-${count}`);
  };
}
