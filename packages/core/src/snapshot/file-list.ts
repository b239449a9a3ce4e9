/** The files of a run as they come, folder by folder: about 60 bytes of each, so that hundreds of thousands can be gathered. */
import { fromHex, toHex } from '../format/bytes.ts';
import { asBlobId, type BlobId } from '../format/ids.ts';
import type { AssetFacts } from './stat-record.ts';

export interface ListedFile {
  readonly path: string;
  /** Bytes. */
  readonly size: number;
  readonly sha256: BlobId;
  readonly asset: AssetFacts | undefined;
}

export interface FileList {
  add(file: ListedFile): void;
  /** All of them, in the order in which they came. */
  files(): Generator<ListedFile>;
}

/** Neighbours in one folder. */
interface Run {
  readonly folder: string;
  /** Joined by slashes, which no name has. */
  readonly names: string;
}

const mostNames = 256;
/** Files of which numbers and hashes lie in one array. */
const blockFiles = 1024;
const hashBytes = 32;

export function fileList(): FileList {
  const runs: Run[] = [];
  const blocks: { readonly sizes: Float64Array; readonly hashes: Uint8Array }[] = [];
  const assets = new Map<number, AssetFacts>();
  let folder = '';
  let names: string[] = [];
  let count = 0;

  const endRun = (): void => {
    if (names.length > 0) runs.push({ folder, names: names.join('/') });
    names = [];
  };

  return {
    add({ path, size, sha256, asset }) {
      const slash = path.lastIndexOf('/');
      const own = path.slice(0, Math.max(slash, 0));
      if (own !== folder || names.length >= mostNames) endRun();
      folder = own;
      names.push(path.slice(slash + 1));
      const at = count % blockFiles;
      if (at === 0)
        blocks.push({ sizes: new Float64Array(blockFiles), hashes: new Uint8Array(blockFiles * hashBytes) });
      const block = blocks.at(-1);
      if (block !== undefined) block.sizes[at] = size;
      block?.hashes.set(fromHex(sha256), at * hashBytes);
      if (asset !== undefined) assets.set(count, asset);
      count += 1;
    },

    *files() {
      endRun();
      let number = 0;
      for (const run of runs) {
        for (const name of run.names.split('/')) {
          const block = blocks[Math.floor(number / blockFiles)];
          const at = number % blockFiles;
          const hash = block?.hashes.subarray(at * hashBytes, (at + 1) * hashBytes) ?? new Uint8Array(0);
          const path = run.folder === '' ? name : `${run.folder}/${name}`;
          yield { path, size: block?.sizes[at] ?? 0, sha256: asBlobId(toHex(hash)), asset: assets.get(number) };
          number += 1;
        }
      }
    },
  };
}
