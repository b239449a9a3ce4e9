import { MbkError } from '../errors.ts';
import type { Backend } from './backend.ts';
import { throwIfInterrupted } from './interrupted.ts';
import { checkKey, checkPrefix } from './key.ts';
import { resolveLimit, resolveRange } from './range.ts';

export interface MemoryBackendOptions {
  /** The storage's clock, in milliseconds since 1970. */
  readonly now?: () => number;
}

/** A backend in the memory of this process, for tests and simulations: every call takes effect at once, whole. */
export function memoryBackend({ now = Date.now }: MemoryBackendOptions = {}): Backend {
  const name = 'memory';
  const entries = new Map<string, Uint8Array>();

  return {
    name,

    async put(key, bytes, { signal } = {}) {
      checkKey(key);
      throwIfInterrupted(signal, `putting ${key} into ${name}`);
      if (entries.has(key)) return 'exists';
      entries.set(key, concatenate(bytes));
      return 'stored';
    },

    async get(key, options = {}) {
      checkKey(key);
      throwIfInterrupted(options.signal, `reading ${key} from ${name}`);
      const bytes = entries.get(key);
      if (bytes === undefined) throw new MbkError('entry-absent', `${key} is not in ${name}`, { details: { key } });
      const { offset, length } = resolveRange(name, key, bytes.length, options);
      return bytes.slice(offset, offset + length);
    },

    async stat(key, { signal } = {}) {
      checkKey(key);
      throwIfInterrupted(signal, `looking up ${key} in ${name}`);
      const bytes = entries.get(key);
      return bytes === undefined ? undefined : { size: bytes.length };
    },

    async *list(prefix, options = {}) {
      checkPrefix(prefix);
      const limit = resolveLimit(options);
      throwIfInterrupted(options.signal, `listing ${name}`);
      const keys = [...entries.keys()].filter((key) => key.startsWith(prefix)).sort();
      let count = 0;
      for (const key of keys) {
        throwIfInterrupted(options.signal, `listing ${name}`);
        const bytes = entries.get(key);
        if (bytes === undefined) continue;
        yield { key, size: bytes.length };
        count += 1;
        if (count >= limit) return;
      }
    },

    async delete(key, { signal } = {}) {
      checkKey(key);
      throwIfInterrupted(signal, `deleting ${key} from ${name}`);
      entries.delete(key);
    },

    async now({ signal } = {}) {
      throwIfInterrupted(signal, `reading the clock of ${name}`);
      return Math.floor(now());
    },
  };
}

function concatenate(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((size, part) => size + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.length;
  }
  return whole;
}
