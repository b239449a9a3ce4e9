/** WebDataset: a tar file whose members come in samples, `key.extension`, one after the other. */

import { hashRecord } from '../records/record-hash.ts';
import { seenRecords } from '../records/seen-records.ts';
import { shown } from '../records/utf8.ts';
import { recordScan, type ScanContext, type Scanner } from './record-scan.ts';
import { tarWalk } from './tar-walk.ts';
import { isUnsafePath } from '../records/unsafe-path.ts';

const mostExtensions = 1000;

export function scanWebDataset(context: ScanContext): Scanner {
  const scan = recordScan({ ...context, options: { ...context.options, duplicates: 'off' } }, 'webdataset');
  const names = seenRecords(500_000);
  const keys = seenRecords(500_000);
  const extensions = new Map<string, number>();
  let members = 0;
  let bytesOfMembers = 0;
  let sample: { readonly key: string; readonly has: Set<string>; readonly offset: number } | undefined;
  /** How many samples have which set of extensions: the sets joined, with the first sample of each. */
  const sets = new Map<string, { count: number; readonly key: string; readonly offset: number }>();
  let moreSets = 0;

  const endSample = (): void => {
    if (sample === undefined) return;
    const { has, key, offset } = sample;
    scan.record(noBytes, { line: 0, offset });
    const set = [...has].toSorted().join(' ');
    const found = sets.get(set);
    if (found !== undefined) found.count += 1;
    else if (sets.size < mostExtensions) sets.set(set, { count: 1, key, offset });
    else moreSets += 1;
    for (const extension of has) {
      if (extensions.has(extension) || extensions.size < mostExtensions) {
        extensions.set(extension, (extensions.get(extension) ?? 0) + 1);
      }
    }
    sample = undefined;
  };
  const member = (name: string, offset: number): void => {
    members += 1;
    const place = { offset };
    if (isUnsafePath(name)) scan.add('dataset/unsafe-path', `member ${shown(name)} leads out of its folder`, place);
    const bytes = new TextEncoder().encode(name);
    if (names.add(hashRecord(bytes))) {
      scan.add('dataset/duplicate-member', `member ${shown(name)} stands twice`, place);
    }
    const { extension, key } = sampleOf(name);
    if (extension === undefined) {
      endSample();
      return;
    }
    if (sample?.key !== key) {
      endSample();
      if (keys.add(hashRecord(new TextEncoder().encode(key)))) {
        scan.add('dataset/sample-scattered', `sample ${shown(key)} goes on after others began`, place);
      }
      sample = { key, has: new Set(), offset };
    }
    if (sample.has.size < 100) sample.has.add(extension);
  };
  const walk = tarWalk({
    member({ isFile, name, offset, size }) {
      if (!isFile) return;
      bytesOfMembers += size;
      member(name, offset);
    },
    broken(reason, offset) {
      scan.add('dataset/tar-header', `the tar header at ${offset}: ${reason}`, { offset });
    },
  });
  return {
    push: (piece) => walk.push(piece),
    end() {
      const { hasTail, isBroken, isClosed, missing, size } = walk.end();
      endSample();
      if (!isBroken && size > 0) {
        const place = { offset: size };
        if (missing > 0)
          scan.add('dataset/truncated', `the file ends within a member, ${missing} bytes too early`, place);
        else if (!isClosed) scan.add('dataset/tar-end', 'the two closing blocks are missing', place);
        else if (hasTail) scan.add('dataset/tar-end', 'something follows the closing blocks');
      }
      const usual = [...extensions].filter(([, count]) => count >= 0.9 * scan.records).map(([name]) => name);
      if (scan.records >= 10) {
        for (const [set, { count, key, offset }] of sets) {
          const has = new Set(set.split(' '));
          const missing = usual.filter((name) => !has.has(name)).map((name) => shown(name, 40));
          if (missing.length === 0) continue;
          const message = `sample ${shown(key)} has no ${missing.slice(0, 10).join(', ')}`;
          scan.add('dataset/sample-incomplete', message, { offset, count });
        }
      }
      const kinds = [...extensions].toSorted(([a, m], [b, n]) => n - m || (a < b ? -1 : 1)).slice(0, 50);
      return scan.end(
        size,
        {
          members,
          memberBytes: bytesOfMembers,
          extensions: kinds.map(([name, count]) => ({ name: shown(name, 60), count })),
          ...(moreSets > 0 ? { moreKindsOfSamples: moreSets } : {}),
        },
        'sample',
      );
    },
  };
}

const noBytes = new Uint8Array(0);

/** Key and extension of a member: at the first dot of its last name; no extension, no sample. */
function sampleOf(name: string): { readonly key: string; readonly extension?: string } {
  const slash = name.lastIndexOf('/');
  const dot = name.indexOf('.', slash + 1);
  // A name that begins with a dot is hidden, and no sample.
  if (dot <= slash + 1) return { key: name };
  return { key: name.slice(0, dot), extension: name.slice(dot + 1).toLowerCase() };
}
