/**
 * What a program and the programs that it started take, from the process table of Linux (proc(5)). Elsewhere, and of
 * what left the tree by ending its parent, nothing is known.
 */
import { readFileSync } from 'node:fs';
import process from 'node:process';

/** Processes of one tree that are looked at. */
const mostProcesses = 1000;

/** The process and all that descend from it. */
export function processTree(pid: number): readonly number[] {
  const found = [pid];
  for (let at = 0; at < found.length && found.length < mostProcesses; at += 1) {
    const one = found[at] ?? pid;
    found.push(...readNumbers(`/proc/${one}/task/${one}/children`));
  }
  return found;
}

/** KiB of memory that the tree holds now; 0 where that cannot be told. What processes share counts for each. */
export function residentKb(pid: number): number {
  return processTree(pid).reduce((sum, one) => {
    const [, kilobytes = '0'] = /^VmRSS:\s*(\d+) kB$/m.exec(readIfThere(`/proc/${one}/status`)) ?? [];
    return sum + Number(kilobytes);
  }, 0);
}

/** Ends all of it at once. */
export function killTree(pid: number): void {
  for (const one of processTree(pid)) {
    try {
      process.kill(one, 'SIGKILL');
    } catch (error) {
      // It ended by itself.
      if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
    }
  }
}

function readNumbers(path: string): readonly number[] {
  return readIfThere(path)
    .split(' ')
    .filter((text) => /^\d+$/.test(text))
    .map(Number);
}

/** Empty for what ended meanwhile, and for a system that has no such file. */
function readIfThere(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
