import { dirname, posix } from 'node:path';
import { describe, expect, test } from 'vitest';
import { readText } from './markdown.ts';

const faces = [
  'packages/core/src/index.ts',
  'packages/core/src/testing.ts',
  'packages/kernels/src/index.ts',
  'packages/plugin-sdk/src/index.ts',
  'packages/plugin-sdk/src/testing.ts',
];

interface PublicName {
  readonly name: string;
  readonly file: string;
}

describe.each(faces)('%s', (face) => {
  const names = namesOf(face);

  test('exports something', () => {
    expect(names.length).toBeGreaterThan(1);
  });

  test('has no name twice', () => {
    const seen = names.map(({ name }) => name);
    expect(seen.filter((name, index) => seen.indexOf(name) !== index)).toEqual([]);
  });

  test('every function and value has a doc comment, every type one of its own or at its members', () => {
    expect(names.filter((name) => !isDocumented(name)).map(({ name, file }) => `${name} in ${file}`)).toEqual([]);
  });
});

/** What a file passes on from others, straight or after importing it. */
function namesOf(face: string): PublicName[] {
  const text = readText(face);
  const exported = listsOf(text, /export (?:type )?\{([^}]*)\}( from '([^']+)')?/g);
  const imported = listsOf(text, /import (?:type )?\{([^}]*)\}( from '([^']+)')/g);
  return exported.flatMap(({ name, from }) => {
    const source = from ?? imported.find((other) => other.name === name)?.from;
    return source === undefined ? [] : [{ name, file: posix.join(dirname(face), source) }];
  });
}

function listsOf(text: string, form: RegExp): { readonly name: string; readonly from: string | undefined }[] {
  return [...text.matchAll(form)].flatMap(([, list = '', , from]) =>
    list
      .split(',')
      .map((item) => item.trim().replace(/^type /, ''))
      .filter((item) => item !== '')
      .map((name) => ({ name, from })),
  );
}

function isDocumented({ name, file }: PublicName): boolean {
  const text = readText(file);
  const declaration = new RegExp(
    `((?:/\\*\\*(?:(?!\\*/)[^])*\\*/\\n)?)export (?:declare )?(?:abstract )?(?:async )?(function\\*?|const|class|interface|type) ${name}\\b`,
  ).exec(text);
  if (declaration === null) {
    const passedOn = namesOf(file).find((other) => other.name === name);
    if (passedOn === undefined) throw new Error(`expected ${name} to be declared in ${file}`);
    return isDocumented(passedOn);
  }
  const [all, comment = '', kind = ''] = declaration;
  if (comment !== '') return true;
  // A record of options says what it is by its name, and what its members mean stands at them. A verb or a value does not.
  if (kind !== 'interface' && kind !== 'type') return false;
  const rest = text.slice(declaration.index + all.length);
  return rest.slice(0, rest.search(kind === 'interface' ? /\n\}/ : /;\n(?! )/)).includes('/**');
}
