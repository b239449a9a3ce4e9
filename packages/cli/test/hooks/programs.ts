/** Small programs for tests of hooks. */

import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Hook } from '../../src/hooks/find-hooks.ts';

/** Writes a program of `sh`. */
export function writeProgram(path: string, script: string): string {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  return path;
}

/** A hook that runs `script` with `sh`. */
export function shellHook(script: string, hook: Partial<Hook> = {}): Hook {
  const event = hook.event ?? 'before-snapshot';
  return { event, name: 'sh', program: '/bin/sh', args: ['-c', script], timeoutMs: 60_000, policy: 'error', ...hook };
}
