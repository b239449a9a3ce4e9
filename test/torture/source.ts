/** Small sources that have everything: several blobs a file, one blob, none, links, a hole, odd names, folders. */
import fs from 'node:fs';
import { join } from 'node:path';
import type { Random } from '../protocol/random.ts';

/** Folders at the top of a source are domains. */
export const domains = ['healthcare', 'finance', 'research'] as const;

/** Bytes of the larger file of a domain: two chunks, so that a chunk list is written. */
const largeBytes = 700_000;

/** Makes a source with these domains. */
export function makeSource(root: string, random: Random, names: readonly string[] = domains): void {
  for (const domain of names) {
    const folder = join(root, domain);
    fs.mkdirSync(join(folder, 'deep'), { recursive: true });
    fs.writeFileSync(join(folder, 'model.bin'), bytesOf(random, largeBytes), { mode: 0o640 });
    fs.writeFileSync(join(folder, 'notes.txt'), `notes of ${domain} ${random.below(1e9)}\n`);
    fs.writeFileSync(join(folder, 'deep/nothing'), '');
    fs.writeFileSync(join(folder, 'deep/line\nbreak'), 'a name of two lines');
    fs.writeFileSync(join(folder, 'deep/hole'), bytesOf(random, 3000));
    fs.truncateSync(join(folder, 'deep/hole'), 300_000);
    fs.linkSync(join(folder, 'deep/hole'), join(folder, 'deep/twin'));
    fs.symlinkSync('../notes.txt', join(folder, 'deep/link'));
  }
  fs.mkdirSync(join(root, domains[0], 'empty'), { recursive: true });
}

/** Changes a few things in the domains; what follows is never what was before. */
export function changeSource(root: string, random: Random, names: readonly string[] = domains): void {
  for (const domain of names) {
    const folder = join(root, domain);
    const fresh = `new-${random.below(1e9)}`;
    fs.writeFileSync(join(folder, fresh), bytesOf(random, random.below(20_000)));
    const large = join(folder, 'model.bin');
    const fd = fs.openSync(large, 'r+');
    fs.writeSync(fd, bytesOf(random, 5000), 0, 5000, random.below(largeBytes - 5000));
    fs.closeSync(fd);
    const older = fs.readdirSync(folder).filter((name) => name.startsWith('new-') && name !== fresh);
    for (const name of older) if (random.chance(0.5)) fs.rmSync(join(folder, name));
  }
}

/** Seeded bytes that do not compress. */
export function bytesOf(random: Random, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  let state = random.below(2 ** 32);
  for (let at = 0; at < length; at += 1) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    bytes[at] = state >>> 24;
  }
  return bytes;
}
