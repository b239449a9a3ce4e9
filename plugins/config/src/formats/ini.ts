/**
 * INI as Python's configparser reads it: sections, `key = value` or `key: value`, comments from `#` or `;` at the start
 * of a line, values that go on in indented lines. Everything is text.
 */

import { findingList, type Json } from '@mbk/plugin-sdk';
import { type ParsedText, type Place, pointerSegment, setMember } from '../document.ts';

const section = /^\[(?<name>[^\]]+)\]\s*(?:[#;].*)?$/;
const option = /^(?<key>[^=:]+?)\s*(?:[=:]\s*(?<value>.*))?$/;

export function parseIni(text: string): ParsedText {
  const findings = findingList();
  const places = new Map<string, Place>();
  const root: Record<string, Json> = {};
  const sections = new Map<string, Record<string, Json>>();
  let current = root;
  let pointer = '';
  let last: string | undefined;

  for (const [index, line] of text.split(/\r\n|\r|\n/).entries()) {
    const place = { line: index + 1, column: line.length - line.trimStart().length + 1 };
    const content = line.trim();
    if (content === '' || /^[#;]/.test(content)) continue;
    const before = last === undefined ? undefined : current[last];
    if (/^\s/.test(line) && last !== undefined && typeof before === 'string') {
      setMember(current, last, `${before}\n${content}`);
      continue;
    }
    const name = section.exec(content)?.groups?.['name'];
    if (name !== undefined) {
      last = undefined;
      pointer = pointerSegment(name);
      if (Object.hasOwn(root, name)) addDuplicate(`the section [${name.slice(0, 100)}]`, pointer, place);
      current = sections.get(name) ?? {};
      sections.set(name, current);
      setMember(root, name, current);
      places.set(pointer, place);
      continue;
    }
    const { key, value } = option.exec(content)?.groups ?? {};
    if (key === undefined || content.startsWith('[')) {
      findings.add({
        code: 'config/syntax',
        severity: 'error',
        message: 'neither a section, nor a key with a value, nor a comment',
        ...place,
      });
      continue;
    }
    const at = pointer + pointerSegment(key);
    if (Object.hasOwn(current, key)) addDuplicate(`the key ${JSON.stringify(key.slice(0, 100))}`, at, place);
    setMember(current, key, value ?? null);
    places.set(at, place);
    last = key;
  }
  return { value: root, places, documents: 1, findings: findings.findings() };

  function addDuplicate(what: string, at: string, place: Place): void {
    findings.add({
      code: 'config/duplicate-key',
      severity: 'error',
      message: `${what} stands twice`,
      remedy: 'remove one of them',
      pointer: at,
      ...place,
    });
  }
}
