import fc from 'fast-check';
import { expect, test } from 'vitest';
import { asActorId, asBlobId, asCommitId, asEntryId, asGitObjectId } from '../../src/format/ids.ts';
import type { Line, TagRow } from '../../src/format/log-state.ts';
import { ColumnReader, ColumnWriter, type ColumnTables } from '../../src/log/columns.ts';
import { readLines, readTags, writeLines, writeTags } from '../../src/log/line-columns.ts';

const hexOf = (digits: number): fc.Arbitrary<string> =>
  fc.string({ unit: fc.constantFrom(...'0123456789abcdef'), minLength: digits, maxLength: digits });
const commit = hexOf(40).map(asCommitId);
const text = fc.oneof(fc.constantFrom('', '-', 'lab', 'hour 1'), fc.string({ unit: 'binary' }));
const count = fc.maxSafeNat();
const collection = fc.constantFrom('models/checkpoint', 'data/raw');

const line: fc.Arbitrary<Line> = fc.record({
  domain: text,
  from: fc.option(commit),
  to: commit,
  bundle: hexOf(64).map(asEntryId),
  tag: fc.option(text),
  tagObject: fc.option(hexOf(40).map(asGitObjectId)),
  line: fc.record({
    takenAt: count,
    message: text,
    host: text,
    plan: fc.option(text),
    run: text,
    files: count,
    bytes: count,
    added: count,
    stored: count,
    flags: fc.array(fc.constantFrom('unreadable', 'findings'), { maxLength: 2 }),
    captures: fc.array(fc.record({ collection, tree: hexOf(64).map(asBlobId), files: count, bytes: count }), {
      maxLength: 3,
    }),
    carried: fc.array(fc.record({ commit, collection }), { maxLength: 3 }),
  }),
  n: count,
  at: count,
  actor: hexOf(64).map(asActorId),
});
const tag: fc.Arbitrary<TagRow> = fc.record({
  domain: text,
  name: text,
  commit,
  object: hexOf(40).map(asGitObjectId),
  bundle: hexOf(64).map(asEntryId),
  n: count,
  at: count,
});

/** What `write` gives, and a reader of the cells: as a file has them, whose bytes begin anywhere. */
function kept<Columns>(write: (writer: ColumnWriter) => Columns): { columns: Columns; cells: ColumnReader } {
  const writer = new ColumnWriter();
  const columns = write(writer);
  const { bytes, tables } = writer.finish();
  const head = JSON.parse(JSON.stringify({ columns, tables })) as { columns: Columns; tables: ColumnTables };
  const file = Buffer.concat([Buffer.alloc(3), bytes]);
  return { columns: head.columns, cells: new ColumnReader(file.subarray(3), head.tables) };
}

test('lines by columns are the lines again', () => {
  fc.assert(
    fc.property(fc.array(line, { maxLength: 12 }), (lines) => {
      const { columns, cells } = kept((writer) => writeLines(writer, lines));
      expect([...readLines(columns, cells).values()]).toEqual(lines);
    }),
  );
});

test('so are tags', () => {
  fc.assert(
    fc.property(fc.array(tag, { maxLength: 12 }), (tags) => {
      const { columns, cells } = kept((writer) => writeTags(writer, tags));
      expect([...readTags(columns, cells).values()]).toEqual(tags);
    }),
  );
});
