/** The user's own JSON Schemas, each a file of the same snapshot. */

import { type Finding, findingList, type FindingList, matchesPath, type Reader } from '@mbk/plugin-sdk';
import { Ajv } from 'ajv';
import type { ErrorObject, ValidateFunction } from 'ajv';
import { Ajv2019 } from 'ajv/dist/2019.js';
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import type { ConfigDocument } from './document.ts';
import { parseJson } from './formats/json.ts';
import { parseYaml } from './formats/yaml.ts';
import type { SchemaRule } from './options.ts';
import { readText } from './read-text.ts';

export async function checkSchema(
  reader: Reader,
  document: ConfigDocument,
  { rules, signal }: { readonly rules: readonly SchemaRule[]; readonly signal: AbortSignal },
): Promise<readonly Finding[]> {
  const rule = rules.find(({ match }) => matchesPath({ kind: '', globs: [match] }, reader.path));
  if (rule === undefined || document.value === undefined) return [];
  const findings = findingList();
  const validate = await readSchema(reader, rule.schema, { findings, signal });
  if (validate !== undefined && validate(document.value) !== true)
    for (const error of validate.errors ?? []) findings.add(toFinding(error, document, rule.schema));
  return findings.findings();
}

async function readSchema(
  reader: Reader,
  path: string,
  { findings, signal }: { readonly findings: FindingList; readonly signal: AbortSignal },
): Promise<ValidateFunction | undefined> {
  const unreadable = (why: string): undefined => {
    findings.add({
      code: 'config/schema-unreadable',
      severity: 'warning',
      message: `the schema ${path} ${why}`,
      remedy: 'mend it, or the option plugins.config.options.schemas',
    });
  };
  const file = await reader.sibling(`/${path.replace(/^\/+/, '')}`, { signal });
  if (file === undefined) return unreadable('is not there');
  const { text } = await readText(file, signal);
  if (text === undefined) return unreadable('is too large, or not UTF-8');
  const { findings: problems, value } = /\.ya?ml$/i.test(path) ? parseYaml(text) : parseJson(text, 'jsonc');
  const [problem] = problems.filter(({ severity }) => severity === 'error');
  if (problem !== undefined || value === undefined)
    return unreadable(`cannot be read: ${problem?.message ?? 'no value'}`);
  if (typeof value !== 'boolean' && (typeof value !== 'object' || value === null || Array.isArray(value)))
    return unreadable('is no JSON Schema');
  try {
    return compile(value);
  } catch (error) {
    return unreadable(`is no JSON Schema: ${(error instanceof Error ? error.message : String(error)).slice(0, 300)}`);
  }
}

function compile(schema: object | boolean): ValidateFunction {
  const draft = typeof schema === 'object' && '$schema' in schema ? String(schema.$schema) : '';
  const options = { allErrors: false, strict: false, logger: false } as const;
  const ajv = /draft-0[67]/.test(draft)
    ? new Ajv(options)
    : /2019-09/.test(draft)
      ? new Ajv2019(options)
      : new Ajv2020(options);
  addFormats.default(ajv);
  return ajv.compile(schema);
}

function toFinding(
  { instancePath, message, params }: ErrorObject,
  { places }: ConfigDocument,
  schema: string,
): Finding {
  const extra = 'additionalProperty' in params ? ` (${JSON.stringify(params['additionalProperty'])})` : '';
  const place = places.get(instancePath);
  return {
    code: 'config/schema',
    severity: 'error',
    message:
      `${instancePath === '' ? 'the document' : instancePath} ${message ?? 'is not allowed'}${extra}, says ${schema}`.slice(
        0,
        500,
      ),
    pointer: instancePath,
    ...place,
  };
}
