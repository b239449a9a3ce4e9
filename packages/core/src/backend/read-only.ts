import { MbkError } from '../errors.ts';
import type { Backend } from './backend.ts';

/** The same storage, of which nothing is ever changed: what would write fails with 'backend-read-only'. */
export function readOnly(backend: Backend): Backend {
  const { sweepTemporaries: _, ...reading } = backend;
  const name = `${backend.name} (read-only)`;

  return {
    ...reading,
    name,
    put: async (key) => refuse(`put ${key}`),
    delete: async (key) => refuse(`delete ${key}`),
    // The probe of the clock is a write.
    now: async () => refuse('probe the clock'),
  };

  function refuse(what: string): never {
    const remedy = 'Open the repository for writing.';
    throw new MbkError('backend-read-only', `cannot ${what}: ${backend.name} was opened read-only`, { remedy });
  }
}
