/** One file, read as the format of its kind. */

import type { Finding, Reader } from '@mbk/plugin-sdk';
import { type ConfigDocument, type Format, isShallow, maxDepth, type ParsedText } from './document.ts';
import { parseDotenv } from './formats/dotenv.ts';
import { parseIni } from './formats/ini.ts';
import { parseJson } from './formats/json.ts';
import { parseToml } from './formats/toml.ts';
import { parseYaml } from './formats/yaml.ts';
import { readText } from './read-text.ts';

export interface ReadConfig {
  readonly document: ConfigDocument | undefined;
  /** Undefined where it is too large or not UTF-8. */
  readonly text: string | undefined;
  readonly findings: readonly Finding[];
}

const formats: Readonly<Record<string, { readonly format: Format; parse(text: string): ParsedText }>> = {
  'config/yaml': { format: 'YAML', parse: parseYaml },
  'config/json': { format: 'JSON', parse: (text) => parseJson(text, 'json') },
  'config/jsonc': { format: 'JSONC', parse: (text) => parseJson(text, 'jsonc') },
  'config/json5': { format: 'JSON5', parse: (text) => parseJson(text, 'json5') },
  'config/toml': { format: 'TOML', parse: parseToml },
  'config/ini': { format: 'INI', parse: parseIni },
  'config/dotenv': { format: 'dotenv', parse: parseDotenv },
};

export type ReadConfigOf = (reader: Reader, kind: string, signal: AbortSignal) => Promise<ReadConfig>;

/** Reads what it is given, and each reader once: that of `inspect` and `validate` is the same. */
export function rememberingReadConfig(): ReadConfigOf {
  const read = new WeakMap<Reader, Promise<ReadConfig>>();
  return (reader, kind, signal) => {
    const known = read.get(reader);
    if (known !== undefined) return known;
    const reading = readAnew(reader, kind, signal);
    read.set(reader, reading);
    return reading;
  };
}

async function readAnew(reader: Reader, kind: string, signal: AbortSignal): Promise<ReadConfig> {
  const { text, findings } = await readText(reader, signal);
  const known = formats[kind];
  if (text === undefined || known === undefined) return { document: undefined, text, findings };
  const document = parseDocument(text, known);
  return { document, text, findings: [...findings, ...document.findings] };
}

function parseDocument(
  text: string,
  { format, parse }: { format: Format; parse(text: string): ParsedText },
): ConfigDocument {
  if (text.trim() === '') return { format, value: null, places: new Map(), documents: 0, findings: [] };
  try {
    const parsed = parse(text);
    if (parsed.value === undefined || isShallow(parsed.value)) return { format, ...parsed };
    return { format, ...parsed, value: undefined, findings: [...parsed.findings, tooDeep] };
  } catch (error) {
    // The libraries follow nesting by recursion: what is nested ten thousand deep ends their stack.
    if (!(error instanceof RangeError)) throw error;
    return { format, value: undefined, places: new Map(), documents: 0, findings: [tooDeep] };
  }
}

const tooDeep: Finding = {
  code: 'config/too-deep',
  severity: 'error',
  message: `values are nested more than ${maxDepth} deep`,
};
