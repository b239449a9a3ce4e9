import type { Backend, ListOptions } from '../../src/backend/backend.ts';

/** The keys of a listing, as an array. */
export async function keysOf(backend: Backend, prefix = '', options?: ListOptions): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key } of backend.list(prefix, options)) keys.push(key);
  return keys;
}
