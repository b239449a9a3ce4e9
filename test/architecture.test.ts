/** Holds docs/architecture.md and the house rules against the sources. */

import { dirname, posix } from 'node:path';
import { describe, expect, test } from 'vitest';
import { codeOf, filesBelow, readText, root, sectionOf, tableOf } from './docs/markdown.ts';

const page = readText('docs/architecture.md');
const isSource = (path: string): boolean => /^(packages|plugins)\/[^/]+\/src\/.*\.ts$/.test(path);
const sources = [...filesBelow('packages', isSource), ...filesBelow('plugins', isSource)].map((path) => ({
  path,
  code: withoutComments(readText(path)),
}));

describe('the layers of packages/core/src', () => {
  const folder = 'packages/core/src';
  const block = /<!-- layers -->\n```\n([^]*?)```/.exec(page)?.[1] ?? '';
  const layers = block
    .trimEnd()
    .split('\n')
    .map((line) => line.split(' ', 1)[0] ?? '');
  const entries = ['index.ts', 'testing.ts', 'worker.ts'];
  const layerOf = (path: string): string => path.slice(folder.length + 1).split('/', 1)[0] ?? '';

  test('are the folders that there are', () => {
    const found = new Set(sources.filter(({ path }) => path.startsWith(`${folder}/`)).map(({ path }) => layerOf(path)));
    expect([...found].filter((layer) => !entries.includes(layer)).toSorted()).toEqual(layers.toSorted());
  });

  test('import themselves and layers above them', () => {
    const upward: string[] = [];
    let checked = 0;
    for (const { path, code } of sources.filter((source) => source.path.startsWith(`${folder}/`))) {
      const from = layerOf(path);
      if (entries.includes(from)) continue;
      for (const imported of importsOf(code).filter((name) => name.startsWith('.'))) {
        checked += 1;
        const to = layerOf(posix.join(dirname(path), imported));
        const fits = from === to || (layers.includes(to) && layers.indexOf(to) < layers.indexOf(from));
        if (!fits) upward.push(`${path} imports ${imported}`);
      }
    }
    expect(upward).toEqual([]);
    expect(checked).toBeGreaterThan(300);
  });
});

describe('packages', () => {
  const { rows } = tableOf(sectionOf(page, 'Packages'), 'package');
  const manifests = ['packages', 'plugins', 'test'].flatMap((folder) =>
    filesBelow(folder, (path) => /^(test|[^/]+\/[^/]+)\/package\.json$/.test(path)),
  );
  const packages = manifests.map((path) => {
    const manifest = JSON.parse(readText(path)) as {
      readonly name: string;
      readonly dependencies?: Readonly<Record<string, string>>;
      readonly optionalDependencies?: Readonly<Record<string, string>>;
    };
    return {
      folder: dirname(path),
      name: manifest.name,
      dependencies: { ...manifest.dependencies, ...manifest.optionalDependencies },
    };
  });
  const rowOf = (folder: string): readonly string[] => {
    const row = rows.find(([name = '']) => [folder, folder.replace(/[^/]+$/, '*')].includes(codeOf(name)[0] ?? ''));
    if (row === undefined) throw new Error(`expected a row for ${folder} in docs/architecture.md`);
    return row;
  };

  test.each(packages)('$folder depends on what the table allows', ({ folder, dependencies }) => {
    const [, , allowed = ''] = rowOf(folder);
    const words = allowed.split(', ');
    const ours = Object.keys(dependencies).filter((name) => name.startsWith('@mbk/'));
    const fits = (name: string): boolean =>
      words.includes('all') ||
      words.includes(name.slice('@mbk/'.length)) ||
      (words.includes('plugins') && name.startsWith('@mbk/plugin-'));
    expect(ours.filter((name) => !fits(name))).toEqual([]);
  });

  test.each(packages.filter(({ folder }) => folder !== 'test'))(
    'the sources of $folder import only what it declares, and no file outside',
    ({ folder, name, dependencies }) => {
      const strange: string[] = [];
      for (const { path, code } of sources.filter((source) => source.path.startsWith(`${folder}/src/`))) {
        for (const imported of importsOf(code)) {
          if (imported.startsWith('node:')) continue;
          const [scope = '', bare = ''] = imported.split('/');
          const owner = imported.startsWith('@') ? `${scope}/${bare}` : scope;
          // Its own package.json is the one file outside src that a package may read.
          const isOwn = imported.startsWith('.')
            ? posix.join(dirname(path), imported).startsWith(`${folder}/`)
            : owner === name || owner in dependencies;
          if (!isOwn) strange.push(`${path} imports ${imported}`);
        }
      }
      expect(strange).toEqual([]);
    },
  );

  test('are pinned: every dependency has one version', () => {
    const loose = packages.flatMap(({ folder, dependencies }) =>
      Object.entries(dependencies)
        .filter(([, version]) => !/^(workspace:\*|\d+\.\d+\.\d+(-[\w.]+)?)$/.test(version))
        .map(([name]) => `${folder}: ${name}`),
    );
    expect(loose).toEqual([]);
  });
});

describe('everything ambient is an argument', () => {
  // Where a library touches the world, why, and what of it.
  const allowed: Readonly<Record<string, readonly string[]>> = {
    'packages/core/src/backend/local.ts': ['randomBytes'], // names of temporary files, unless the caller gives randomness
    'packages/core/src/backend/memory.ts': ['Date.now'], // the storage's clock, unless the caller gives one
    'packages/core/src/catalogue/write-git-objects.ts': ['globalThis'], // a browser's streams, hidden from isomorphic-git once
    'packages/core/src/operations/self-test.ts': ['node:process'], // the version of Node that is tried
    'packages/core/src/pool/threads.ts': ['node:os'], // how many cores there are, unless the caller says how many threads
    'packages/core/src/testing/recording-file-system.ts': ['Date.now'], // the clock of a file system, unless the caller gives one
    'packages/core/src/worker.ts': ['randomBytes'], // threads are given nothing that cannot be copied
  };
  const ambient =
    /(?<![.\w])(?:console\b|process\.\w+|globalThis\b|Date\.now|new Date\(\)|Math\.random|performance\.now|randomBytes|randomUUID|homedir|tmpdir|hostname)|node:(?:process|os)\b/g;
  const libraries = sources.filter(({ path }) => !path.startsWith('packages/cli/'));

  test('no library reads the clock, randomness, the environment or the console, but where it says so', () => {
    const found = Object.fromEntries(
      libraries
        .map(({ path, code }) => [path, [...new Set([...code.matchAll(ambient)].map(([text]) => text))]] as const)
        .filter(([, uses]) => uses.length > 0),
    );
    expect(found).toEqual(allowed);
  });

  test('no library keeps state between calls', () => {
    const kept = libraries.flatMap(({ path, code }) =>
      [
        ...code.matchAll(
          /^(?:export )?(?:let|var) .*$|^(?:export )?const .* = new (?:Map|Set|WeakMap|WeakSet)(?:<.*>)?\(\)/gm,
        ),
      ].map(([line]) => `${path}: ${line}`),
    );
    expect(kept).toEqual([]);
  });
});

describe('every file of the project makes sense elsewhere', () => {
  const files = filesBelow('', (path) => !/\/golden\/v\d+\//.test(path) && !path.includes('.closing-line-'));

  test('no file holds the path that the project has on this machine', () => {
    expect(files.filter((path) => readText(path).includes(root))).toEqual([]);
  });

  test('no file names a host but those of published documents', () => {
    const hosts = new Set([
      'host',
      'json-schema.org',
      'mlcommons.org',
      'purl.org',
      'schema.org',
      'sqlite.org',
      'www.rfc-editor.org',
      'www.w3.org',
    ]);
    const strange = files.flatMap((path) =>
      [...readText(path).matchAll(/\bhttps?:\/\/([A-Za-z0-9.-]+)/g)]
        .map(([, host = '']) => ({ path, host }))
        .filter(({ host }) => !hosts.has(host)),
    );
    expect(strange).toEqual([]);
  });
});

/** The modules that a source names, types included. */
function importsOf(code: string): string[] {
  return [...code.matchAll(/\bfrom '([^']+)'|\bimport\('([^']+)'\)|^import '([^']+)'/gm)].map(
    ([, from, dynamic, bare]) => from ?? dynamic ?? bare ?? '',
  );
}

/** Comments gone, strings kept. */
function withoutComments(source: string): string {
  return source.replaceAll(
    /("(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')|\/\*[^]*?\*\/|(?<![:\\/])\/\/[^\n]*/g,
    (_, text: string | undefined) => text ?? '',
  );
}
