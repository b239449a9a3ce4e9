/**
 * Names that a file system takes for one: where upper and lower case are the same to it, a second name would silently
 * replace the first.
 */
import fs from 'node:fs';
import type { Random } from '../crypto/hash.ts';
import { MbkError } from '../errors.ts';
import { bufferOfBytes, displayBytes, textOfBytes, type ByteString } from '../format/byte-name.ts';
import { toHex } from '../format/bytes.ts';

/** Whether the file system of the folder at `root` takes upper and lower case for the same. */
export function foldsNames(root: ByteString, random: Random): boolean {
  const name = `.mbk-names-${toHex(random(8))}`;
  const path = bufferOfBytes(`${root}/${name}`);
  fs.closeSync(fs.openSync(path, 'wx', 0o600));
  try {
    return fs.lstatSync(bufferOfBytes(`${root}/${name.toUpperCase()}`), { throwIfNoEntry: false }) !== undefined;
  } finally {
    fs.unlinkSync(path);
  }
}

/** Takes every path that is written; 'target-collision' for one that is the same to the file system as another. */
export type NameGuard = (path: ByteString) => void;

/** Remembers every path if `folds`, else nothing. */
export function nameGuard(folds: boolean): NameGuard {
  if (!folds) return () => undefined;
  const paths = new Map<string, ByteString>();
  return (path) => {
    const key = fold(path);
    const other = paths.get(key) ?? path;
    if (other !== path) {
      const [shown, shownOther] = [displayBytes(path), displayBytes(other)];
      throw new MbkError('target-collision', `${shown} and ${shownOther} are one name in the target`, {
        details: { path: shown, other: shownOther },
      });
    }
    paths.set(key, path);
  };
}

/** Such file systems also take the two ways to write one accented letter for the same. */
function fold(path: ByteString): string {
  return (textOfBytes(path) ?? path).normalize('NFC').toLowerCase().normalize('NFC');
}
