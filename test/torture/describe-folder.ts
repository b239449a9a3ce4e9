/**
 * What lies in a folder, seen with nothing but Node's own calls: the judge of every restored snapshot shares no code with
 * what it judges.
 */
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import { join } from 'node:path';

/** Facts of everything below a folder, by path; names of any bytes, one character a byte. */
export type Description = ReadonlyMap<string, Facts>;

interface Facts {
  /** Kind, mode, size, SHA-256, link target, the first name of a file with several. */
  readonly text: string;
  /** Undefined for links. */
  readonly mtimeNs: bigint | undefined;
}

/** Times are restored to the microsecond: what Node's calls can set. */
const toleratedNs = 1000n;

/** Describes what is below `root`. */
export function describeFolder(root: string): Description {
  const found = new Map<string, Facts>();
  const firstNames = new Map<string, string>();
  const visit = (folder: Buffer, prefix: string): void => {
    const names = fs.readdirSync(folder, { encoding: 'buffer' });
    for (const name of names.sort(Buffer.compare)) {
      const path = prefix + name.toString('latin1');
      const location = Buffer.concat([folder, Buffer.from('/'), name]);
      const stats = fs.lstatSync(location, { bigint: true });
      const { mtimeNs } = stats;
      const mode = (stats.mode & 0o7777n).toString(8);
      if (stats.isSymbolicLink()) {
        found.set(path, { text: `a link to ${fs.readlinkSync(location, { encoding: 'latin1' })}`, mtimeNs: undefined });
      } else if (stats.isDirectory()) {
        found.set(path, { text: `a folder, ${mode}`, mtimeNs });
        visit(location, `${path}/`);
      } else {
        const inode = `${stats.dev}:${stats.ino}`;
        const twin = stats.nlink > 1n ? `, the same as ${firstNames.get(inode) ?? 'none'}` : '';
        if (!firstNames.has(inode)) firstNames.set(inode, path);
        const hash = createHash('sha256').update(fs.readFileSync(location)).digest('hex');
        found.set(path, { text: `a file, ${mode}, ${stats.size} bytes, ${hash}${twin}`, mtimeNs });
      }
    }
  };
  visit(Buffer.from(root), '');
  return found;
}

/** The part of a description that is `name` and what is below it. */
export function partOf(description: Description, name: string): Description {
  return new Map([...description].filter(([path]) => path === name || path.startsWith(`${name}/`)));
}

/** The first difference, in words; undefined if there is none. */
export function differenceOf(expected: Description, found: Description): string | undefined {
  for (const [path, { text, mtimeNs }] of expected) {
    const other = found.get(path);
    if (other === undefined) return `${path} is missing`;
    if (other.text !== text) return `${path} is ${other.text} and was ${text}`;
    const isLate =
      mtimeNs !== undefined && (other.mtimeNs === undefined || apart(mtimeNs, other.mtimeNs) > toleratedNs);
    if (isLate) return `${path} is of ${other.mtimeNs} ns and was of ${mtimeNs}`;
  }
  for (const path of found.keys()) if (!expected.has(path)) return `${path} is there and was not`;
  return undefined;
}

function apart(a: bigint, b: bigint): bigint {
  return a < b ? b - a : a - b;
}

/** A folder of its own below `parent`. */
export function newFolder(parent: string, name: string): string {
  fs.mkdirSync(parent, { recursive: true });
  return fs.mkdtempSync(join(parent, `${name}-`));
}
