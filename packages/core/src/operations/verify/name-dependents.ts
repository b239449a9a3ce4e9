/**
 * Which files of which snapshots damage reaches: a second walk that is made only when something is broken, and goes only
 * where it may be.
 */
import { encodeByteText, joinBytes, type ByteString } from '../../format/byte-name.ts';
import type { BlobId, BlobType } from '../../format/ids.ts';
import type { FileEntry } from '../../format/tree.ts';
import { isExpired } from '../../log/fold.ts';
import type { ReadBlob } from '../../snapshot/blobs.ts';
import { readChunks } from '../../snapshot/chunk-list-reader.ts';
import { readTree } from '../../snapshot/tree-reader.ts';
import { isBadContent } from '../bad-content.ts';
import type { OpenFinding } from './findings.ts';
import type { ContentCheck, Held } from './verify-content.ts';
import type { Verification } from './verification.ts';

/** Adds to the findings of a check the files and folders that need what is broken; call it for one collection after the other. */
export function dependentsNamer(run: Verification, check: ContentCheck): (held: Held) => Promise<void> {
  const { repository, fold, signal } = run;
  /** Directories and chunk lists below which all is well. */
  const sound = new Set<string>();

  return async ({ commit, domain, collection }) => {
    if (isExpired(fold, collection.commit ?? commit, collection.name)) return;
    const tell = (finding: OpenFinding, path: ByteString): void =>
      finding.addDependent({ commit, domain, collection: collection.name, path: encodeByteText(path) });
    const { tree, links, assets } = collection;
    await directory(tree, '', tell);
    for (const [type, id] of [
      ['links', links],
      ['table', assets],
    ] as const) {
      const fault = id === null ? undefined : check.faultOf(type, id);
      if (fault !== undefined) tell(fault, '');
    }
  };

  /** Whether something below is broken. */
  async function directory(
    id: BlobId,
    path: ByteString,
    tell: (finding: OpenFinding, path: ByteString) => void,
  ): Promise<boolean> {
    if (sound.has(`tree ${id}`)) return false;
    let isBroken = false;
    await goOver(
      'tree',
      id,
      (fault) => {
        tell(fault, path);
        isBroken = true;
      },
      async (readBlob) => {
        for await (const entry of readTree(readBlob, id, { signal })) {
          const below = joinBytes(path, entry.name);
          if (entry.type === 'directory' && (await directory(entry.tree, below, tell))) isBroken = true;
          if (entry.type !== 'file') continue;
          const faults = await faultsOf(entry);
          for (const fault of faults) tell(fault, below);
          if (faults.size > 0) isBroken = true;
        }
      },
    );
    if (!isBroken) sound.add(`tree ${id}`);
    return isBroken;
  }

  async function faultsOf(entry: FileEntry): Promise<ReadonlySet<OpenFinding>> {
    const faults = new Set<OpenFinding>();
    const add = (fault: OpenFinding | undefined): void => void (fault !== undefined && faults.add(fault));
    const { size, sha256, chunks, layout } = entry;
    if (size === 0) return faults;
    if (chunks === undefined) {
      add(check.faultOf('data', sha256));
      return faults;
    }
    const key = `${chunks} ${size}`;
    if (layout !== undefined) add(check.faultOf('layout', layout));
    if (sound.has(key)) return faults;
    await goOver('chunks', chunks, add, async (readBlob) => {
      for await (const chunk of readChunks(readBlob, entry, { signal }))
        if (chunk.kind !== 'zero') add(check.faultOf('data', chunk.id));
    });
    if (faults.size === 0) sound.add(key);
    return faults;
  }

  /** Runs `read` and says at whose fault it could not come to its end. */
  async function goOver(
    type: BlobType,
    id: BlobId,
    onFault: (fault: OpenFinding) => void,
    read: (readBlob: ReadBlob) => Promise<void>,
  ): Promise<void> {
    const readBlob: ReadBlob = async (part, partType) => {
      const fault = check.faultOf(partType, part);
      if (fault !== undefined) onFault(fault);
      return repository.readBlob(part, partType);
    };
    try {
      await read(readBlob);
    } catch (error) {
      if (!isBadContent(error)) throw error;
      const fault = check.faultOf(type, id);
      if (fault !== undefined) onFault(fault);
    }
  }
}
