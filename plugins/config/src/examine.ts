/** Facts and findings of one configuration. */

import {
  type Finding,
  findingList,
  type Inspection,
  matchesPath,
  type Reader,
  type ReaderContext,
} from '@mbk/plugin-sdk';
import { checkSchema } from './check-schema.ts';
import { classify } from './classify.ts';
import { leaves } from './document.ts';
import type { ConfigOptions } from './options.ts';
import type { ReadConfigOf } from './parse-document.ts';
import { findSecrets, masked } from './secrets/find-secrets.ts';

type Context = ReaderContext<ConfigOptions>;

export async function inspect(
  reader: Reader,
  { collection, kind, signal }: Context,
  readConfig: ReadConfigOf,
): Promise<Inspection | undefined> {
  const { document } = await readConfig(reader, kind, signal);
  if (document?.value === undefined) return undefined;
  const { documents, format, value } = document;
  const configClass = classify(value, collection);
  const keys = documents === 0 ? 0 : [...leaves(value)].length;
  const several = documents > 1 ? ` in ${documents} documents` : '';
  const what = configClass === undefined ? 'configuration' : `${configClass} configuration`;
  return {
    summary: `${what}, ${format}, ${keys} ${keys === 1 ? 'value' : 'values'}${several}`,
    facts: {
      format,
      values: keys,
      documents,
      ...(configClass !== undefined && { class: configClass }),
      ...(typeof value === 'object' &&
        value !== null &&
        !Array.isArray(value) && {
          keys: Object.keys(value)
            .slice(0, 50)
            .map((key) => key.slice(0, 100)),
        }),
    },
  };
}

export async function validate(
  reader: Reader,
  { kind, options, signal }: Context,
  readConfig: ReadConfigOf,
): Promise<readonly Finding[]> {
  const { document, findings, text } = await readConfig(reader, kind, signal);
  const list = findingList();
  for (const finding of findings) list.add(finding);
  if (text !== undefined)
    for (const finding of secretFindings(reader.path, text, { document, options })) list.add(finding);
  if (document !== undefined)
    for (const finding of await checkSchema(reader, document, { rules: options.schemas, signal })) list.add(finding);
  return list.findings();
}

function secretFindings(
  path: string,
  text: string,
  { document, options }: { readonly document: Parameters<typeof findSecrets>[1]; readonly options: ConfigOptions },
): Finding[] {
  const { allowSecretsIn, secrets: severity } = options;
  if (severity === 'off') return [];
  if (allowSecretsIn.length > 0 && matchesPath({ kind: '', globs: allowSecretsIn }, path)) return [];
  return findSecrets(text, document).map(({ name, place, pointer, secret }) => ({
    code: 'config/secret',
    severity,
    message: `${name}: ${masked(secret)}`,
    remedy: 'keep it outside the project, or say allowSecretsIn in mbk.yaml; if others can read this, renew it',
    ...(pointer !== undefined && { pointer }),
    ...place,
  }));
}
