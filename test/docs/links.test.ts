import { existsSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';
import { describe, expect, test } from 'vitest';
import { filesBelow, readText, root } from './markdown.ts';

const pages = filesBelow('', (path) => path.endsWith('.md'));

describe('documents', () => {
  test.each(pages)('every relative link of %s leads to a file, and to a heading in it', (page) => {
    const broken = linksOf(readText(page)).filter((link) => !isFound(page, link));
    expect(broken).toEqual([]);
  });

  test('docs/README.md lists every page of the folder', () => {
    const listed = linksOf(readText('docs/README.md')).map((link) => link.split('#', 1)[0]);
    const there = filesBelow(
      'docs',
      (path) => path.endsWith('.md') && path !== 'docs/README.md' && !path.startsWith('docs/decisions/0'),
    );
    const folders = filesBelow('docs')
      .map((path) => path.split('/').slice(1, -1).join('/'))
      .filter((path) => path !== '');
    expect(there.map((path) => path.slice('docs/'.length)).filter((path) => !listed.includes(path))).toEqual([]);
    expect([...new Set(folders)].filter((folder) => !listed.some((link) => link?.startsWith(`${folder}/`)))).toEqual(
      [],
    );
  });

  test('the index of decisions lists all of them, in order, by their titles', () => {
    const index = readText('docs/decisions/README.md');
    const entries = [...index.matchAll(/^(\d+)\. \[(.+)\]\((.+)\)$/gm)].map(([, number, title, file]) => ({
      number,
      title,
      file,
    }));
    const files = filesBelow('docs/decisions', (path) => /\/\d{4}-.*\.md$/.test(path)).toSorted();
    expect(entries).toEqual(
      files.map((path) => {
        const file = posix.basename(path);
        const title = /^# (?:\d+\.? )?(.+)$/m.exec(readText(path))?.[1];
        return { number: String(Number(file.slice(0, 4))), title, file };
      }),
    );
  });
});

/** Targets that are no address of their own; what stands in code is none. */
function linksOf(text: string): string[] {
  const prose = text.replaceAll(/```[^]*?```/g, '').replaceAll(/`[^`\n]*`/g, '``');
  return [...prose.matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, target = '']) => target)
    .filter((target) => !/^[a-z]+:/.test(target));
}

function isFound(page: string, link: string): boolean {
  const [path = '', anchor] = link.split('#');
  const target = path === '' ? page : posix.join(dirname(page), path);
  if (!existsSync(join(root, target))) return false;
  return anchor === undefined || (target.endsWith('.md') && anchorsOf(readText(target)).includes(anchor));
}

/** As the usual viewers make them: lower case, spaces to dashes, other marks gone. */
function anchorsOf(text: string): string[] {
  const prose = text.replaceAll(/^```[^]*?^```/gm, '');
  return [...prose.matchAll(/^#+ (.+)$/gm)].map(([, title = '']) =>
    title
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );
}
