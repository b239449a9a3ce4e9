import type { PutResult } from '../../src/backend/backend.ts';

/** What each key may hold after a power cut: a text, or `undefined` for no entry. */
type States = ReadonlySet<string | undefined>;

/** Follows the calls of a backend and knows what may be found when the power fails. */
export interface StorageModel {
  putBegins(key: string, text: string): void;
  putEnds(key: string, text: string, result: PutResult): void;
  deleteBegins(key: string): void;
  deleteEnds(key: string): void;
  /** The keys whose state, as `stateOf` finds it, was promised to be another. */
  contradictions(stateOf: (key: string) => string | undefined): string[];
  /** After a boot, what is found is what is on the disk. */
  adopt(stateOf: (key: string) => string | undefined): void;
}

export function storageModel(): StorageModel {
  const states = new Map<string, States>();
  const of = (key: string): States => states.get(key) ?? new Set([undefined]);

  return {
    putBegins: (key, text) => {
      if (of(key).has(undefined)) states.set(key, new Set([...of(key), text]));
    },
    putEnds: (key, text, result) => {
      const possible = result === 'stored' ? [text] : [...of(key)].filter((state) => state !== undefined);
      // 'stored' over an entry that is surely there, or 'exists' where surely none is.
      if (!possible.some((state) => of(key).has(state))) throw new Error(`${result} contradicts what ${key} holds`);
      states.set(key, new Set(possible));
    },
    deleteBegins: (key) => void states.set(key, new Set([...of(key), undefined])),
    deleteEnds: (key) => void states.set(key, new Set([undefined])),
    contradictions: (stateOf) => [...states.keys()].filter((key) => !of(key).has(stateOf(key))),
    adopt: (stateOf) => {
      for (const key of states.keys()) states.set(key, new Set([stateOf(key)]));
    },
  };
}
