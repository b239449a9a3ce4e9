import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseCommit, parseTag, parseTree } from '../../src/catalogue/git-objects.ts';
import { writeGitObjects } from '../../src/catalogue/write-git-objects.ts';
import { isMbkError } from '../../src/errors.ts';
import { concatBytes, utf8 } from '../../src/format/bytes.ts';

const person = 'Ada Lovelace <ada@lab.example> 1735696800 -0330';
const tree = '4b825dc642cb6eb9a060e54bf8d69288fbee4904';
const parent = '12'.repeat(20);
const refused = expect.objectContaining({ code: 'value-invalid' });
const commit = (...headers: string[]): Uint8Array => utf8(`${headers.join('\n')}\n\nmessage\n`);

describe('Git objects of a catalogue', () => {
  test('a commit with its parent, author and local time', () => {
    expect(
      parseCommit(commit(`tree ${tree}`, `parent ${parent}`, `author ${person}`, `committer ${person}`), 'c'),
    ).toEqual({
      tree,
      parent,
      author: { name: 'Ada Lovelace', email: 'ada@lab.example', at: 1_735_696_800_000, offsetMinutes: -210 },
      message: 'message\n',
    });
  });

  test('a signature in between is passed over', () => {
    const signed = commit(
      `tree ${tree}`,
      `author ${person}`,
      `committer ${person}`,
      'gpgsig -----BEGIN',
      ' parent x',
      ' -----END',
    );
    expect(parseCommit(signed, 'c').parent).toBeUndefined();
  });

  test.each([
    commit(`author ${person}`),
    commit(`tree ${tree}`),
    commit(`tree ${tree}x`, `author ${person}`),
    commit(`tree ${tree}`, `parent ${parent}`, `parent ${parent}`, `author ${person}`),
    commit(`tree ${tree}`, `author ${person}`, `parent ${parent}`),
    commit(`tree ${tree}`, 'author nobody'),
    commit(`tree ${tree}`, `author ${person.replace('-0330', '-0390')}`),
    utf8(`tree ${tree}\nauthor ${person}\n`),
    concatBytes([commit(`tree ${tree}`, `author ${person}`), Uint8Array.of(255)]),
  ])('commit %# is refused', (content) => {
    expect(() => parseCommit(content, 'c')).toThrow(refused);
  });

  test('trees hold plain files only', async () => {
    const { objects } = await writeGitObjects(async (git) => {
      const oid = await git.blob(utf8('x'));
      await git.tree([{ mode: '100644', type: 'blob', path: 'snapshot.json', oid }]);
      await git.tree([{ mode: '120000', type: 'blob', path: 'link', oid }]);
    });
    const [plain, link] = objects.filter(({ type }) => type === 'tree');
    expect([...parseTree(plain?.content ?? new Uint8Array(1), 't').keys()]).toEqual(['snapshot.json']);
    expect(() => parseTree(link?.content ?? new Uint8Array(0), 't')).toThrow(refused);
    expect(() => parseTree(plain?.content.subarray(0, -1) ?? new Uint8Array(1), 't')).toThrow(refused);
  });

  test('a tag names a commit', () => {
    const tag = commit(`object ${parent}`, 'type commit', 'tag healthcare/v1', `tagger ${person}`);
    expect(parseTag(tag, 't')).toMatchObject({
      commit: parent,
      name: 'healthcare/v1',
      tagger: { at: 1_735_696_800_000 },
    });
    expect(() => parseTag(commit(`object ${parent}`, 'type tree', 'tag x', `tagger ${person}`), 't')).toThrow(refused);
  });

  test('any bytes are parsed or refused', () => {
    const start = commit(`tree ${tree}`, `parent ${parent}`, `author ${person}`);
    const edits = fc.array(fc.tuple(fc.nat(start.byteLength - 1), fc.nat(255)), { maxLength: 4 });
    fc.assert(
      fc.property(edits, fc.uint8Array(), (changes, tail) => {
        const bytes = concatBytes([start, tail]);
        for (const [offset, value] of changes) bytes[offset] = value;
        for (const parse of [parseCommit, parseTag, parseTree]) {
          try {
            parse(bytes, 'object');
          } catch (error) {
            expect(isMbkError(error, 'value-invalid')).toBe(true);
          }
        }
      }),
      { numRuns: 1000 },
    );
  });
});
