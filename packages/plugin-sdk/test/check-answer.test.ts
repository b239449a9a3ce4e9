import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  checkDifference,
  checkExamination,
  checkExport,
  checkFindings,
  checkInspection,
  defaultLimits,
  type Finding,
  findingList,
} from '../src/index.ts';

const finding: Finding = { code: 'a/b', severity: 'error', message: 'it is', offset: 3, count: 2 };

describe('answers of plugins', () => {
  test('are copied as far as the contract names them', () => {
    const inspection = { summary: 's', facts: { a: [1, 0.5, null, { b: 'c' }] } };
    const answer = { inspection, findings: [finding], more: 1 };
    expect(checkExamination(answer)).toEqual({ ok: true, value: { inspection, findings: [finding] } });
    const change = { what: 'key', name: 'a', change: 'retyped', before: 1, after: 'x' };
    const difference = { changes: [change], lines: ['a'], patch: [{ op: 'remove', path: '/a' }] };
    expect(checkDifference(difference)).toEqual({ ok: true, value: difference });
  });

  test.each<[unknown, RegExp]>([
    [undefined, /the answer is no object/],
    [{ findings: {} }, /findings is no list/],
    [{ findings: [{ ...finding, code: 'A' }] }, /code of a finding/],
    [{ findings: [{ ...finding, severity: 'fatal' }] }, /severity is none of/],
    [{ findings: [{ ...finding, offset: -1 }] }, /offset is no whole number/],
    [{ findings: [{ ...finding, message: 3 }] }, /message is no text/],
    [{ findings: [], inspection: { summary: 's', facts: [] } }, /facts is no object/],
    [{ findings: [], inspection: { summary: 's', facts: { a: Number.NaN } } }, /a number that JSON has not/],
    [{ findings: [], inspection: { summary: 's', facts: { a: new Date(0) } } }, /no plain data/],
    [{ findings: [], inspection: { summary: 's', facts: { a: 'x'.repeat(40_000) } } }, /more than 32768 bytes/],
  ])('are refused: %o', (value, reason) => {
    const checked = checkExamination(value);
    expect(checked.ok ? '' : checked.reason).toMatch(reason);
  });

  test('may be anything: nothing is thrown, and what is taken is plain data', () => {
    const loop: Record<string, unknown> = {};
    loop['loop'] = loop;
    expect(checkInspection({ summary: 's', facts: loop }).ok).toBe(false);
    const trap = new Proxy({}, { get: () => { throw new Error('trap'); } }); // prettier-ignore
    expect(checkExamination(trap).ok).toBe(false);
    fc.assert(
      fc.property(fc.anything({ withNullPrototype: true, withBigInt: true, withDate: true }), (value) => {
        for (const check of [checkExamination, checkFindings, checkInspection, checkDifference]) {
          const checked = check(value);
          if (checked.ok) expect(JSON.parse(JSON.stringify(checked.value))).toEqual(checked.value);
        }
      }),
    );
  });

  test('that are files to be written stay below their folder, each at a place of its own', () => {
    const files = [
      { path: 'SHA256SUMS', text: 'a' },
      { path: 'deep/er.txt', text: '' },
    ];
    expect(checkExport(files)).toEqual({ ok: true, value: files });
    for (const path of [
      '',
      '/etc/passwd',
      '../a',
      'a/../../b',
      'a//b',
      './a',
      'a\\b',
      'a\nb',
      'a\0',
      'a'.repeat(1001),
      7,
    ]) {
      expect(checkExport([{ path, text: '' }]).ok, String(path)).toBe(false);
    }
    expect(checkExport([...files, ...files])).toMatchObject({
      ok: false,
      reason: expect.stringContaining('one name') as string,
    });
    expect(checkExport([{ path: 'a', text: 'aaaa' }], { ...defaultLimits, exportBytes: 3 }).ok).toBe(false);
    expect(checkExport([{ path: 'a', text: 3 }]).ok).toBe(false);
  });

  test('are cut to their limits', () => {
    const many = Array.from({ length: 500 }, () => ({ ...finding, message: 'm'.repeat(5000) }));
    const checked = checkFindings(many);
    expect(checked.ok && checked.value.length).toBe(defaultLimits.findings);
    expect(checked.ok && checked.value[0]?.message.length).toBe(defaultLimits.messageLength);
  });
});

describe('findingList', () => {
  test('keeps the first of each code and counts the rest', () => {
    const list = findingList(2);
    for (let i = 0; i < 10; i += 1) list.add({ code: 'a/many', severity: 'warning', message: `${i}` });
    expect(list.hasErrors).toBe(false);
    list.add({ code: 'a/one', severity: 'error', message: 'x' });
    expect(list.hasErrors).toBe(true);
    expect(list.findings()).toEqual([
      { code: 'a/many', severity: 'warning', message: '0' },
      { code: 'a/many', severity: 'warning', message: '1', count: 9 },
      { code: 'a/one', severity: 'error', message: 'x' },
    ]);
  });
});
