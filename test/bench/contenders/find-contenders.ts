/** The contenders that this machine has, in the order in which they take turns. */

import { findBorg } from './borg.ts';
import type { Contender } from './contender.ts';
import { findMbk } from './mbk.ts';
import { findCopy, findTarZstd } from './plain.ts';
import { findRestic } from './restic.ts';

const finders: Readonly<Record<string, () => Contender | undefined>> = {
  mbk: () => findMbk(),
  'mbk-best': () => findMbk('mbk, best', ['--compression', 'best']),
  restic: findRestic,
  borg: () => findBorg('borg', 'zstd'),
  'borg-19': () => findBorg('borg, zstd,19', 'zstd,19'),
  'borg-lz4': () => findBorg('borg-lz4', 'lz4'),
  cp: findCopy,
  tar: () => findTarZstd(),
  'tar-19': () => findTarZstd('-19 --long'),
};

/** What is measured when nothing else is said; borg with zstd is the one that stores least. */
export const usualContenders = ['mbk', 'restic', 'borg', 'cp', 'tar'];

/** Those of `names` that are installed; a note about each that is not. */
export function findContenders(names: readonly string[]): {
  readonly found: readonly Contender[];
  readonly missing: readonly string[];
} {
  const unknown = names.filter((name) => !Object.hasOwn(finders, name));
  if (unknown.length > 0)
    throw new RangeError(`expected contenders among ${Object.keys(finders).join(', ')}, got ${unknown.join(', ')}`);
  const looked = names.map((name) => ({ name, contender: finders[name]?.() }));
  return {
    found: looked.flatMap(({ contender }) => (contender === undefined ? [] : [contender])),
    missing: looked.filter(({ contender }) => contender === undefined).map(({ name }) => name),
  };
}
