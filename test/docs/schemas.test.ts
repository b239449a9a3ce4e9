import { createRequire } from 'node:module';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { assetsSchema, snapshotSchema } from '../../packages/core/src/catalogue/catalogue-schemas.ts';
import { commandTable } from '../../packages/cli/src/commands.ts';
import { configSchema } from '../../packages/cli/src/project/config-schema.ts';
import { commandSchemas, schemaPath } from './command-schemas.ts';
import { filesBelow, readText, root } from './markdown.ts';

const inCode: Readonly<Record<string, object>> = {
  ...commandSchemas,
  'docs/schemas/assets.schema.json': assetsSchema,
  'docs/schemas/mbk-yaml.schema.json': configSchema,
  'docs/schemas/snapshot.schema.json': snapshotSchema,
};
const published = filesBelow('docs/schemas');

/** The part of ajv that is used here; the checker is a dependency of the core, not of the tests. */
interface Ajv {
  readonly errors?: readonly unknown[] | null;
  validateSchema(schema: object): unknown;
  compile(schema: object): unknown;
}
const { Ajv2020 } = createRequire(join(root, 'packages/core/package.json'))('ajv/dist/2020.js') as {
  readonly Ajv2020: new (options: { readonly strict: boolean; readonly allowUnionTypes: boolean }) => Ajv;
};

describe('published schemas', () => {
  test('are those of the code', () => {
    expect(published.toSorted()).toEqual(Object.keys(inCode).toSorted());
  });

  test('there is one for each command', () => {
    expect(Object.keys(commandSchemas).toSorted()).toEqual(Object.keys(commandTable).map(schemaPath).toSorted());
  });

  test.each(published)('%s is the value in the code', (path) => {
    expect(JSON.parse(readText(path))).toEqual(JSON.parse(JSON.stringify(inCode[path])));
  });

  test.each(published)('%s is a valid schema of draft 2020-12, with nothing unknown in it', (path) => {
    const ajv = new Ajv2020({ strict: true, allowUnionTypes: true });
    const schema = JSON.parse(readText(path)) as { readonly $schema: string };
    expect(schema.$schema).toBe('https://json-schema.org/draft/2020-12/schema');
    expect(ajv.validateSchema(schema) === true ? [] : ajv.errors).toEqual([]);
    expect(() => ajv.compile(schema)).not.toThrow();
  });
});
