import { expect, test } from 'vitest';
import { claims, peakMemory } from './claims.ts';
import { rows } from './rows.ts';
import { sampleResult, sampleRow } from './sample-rows.ts';
import { scaleClaims } from './scale/claims.ts';

const claimOf = (row: string): (typeof claims)[number] => {
  const claim = claims.find((one) => one.row === row);
  if (claim === undefined) throw new RangeError(`expected a claim on ${row}`);
  return claim;
};
const timed = (contender: string, seconds: number): ReturnType<typeof sampleResult> =>
  sampleResult(contender, [{ seconds }]);

test('every row has a claim and every claim a row', () => {
  expect(new Set(claims.map(({ row }) => row))).toEqual(new Set(rows.map(({ id }) => id)));
});

test('a claim of speed is met from its factor on, and open without the peer', () => {
  const { judge } = claimOf('unchanged');
  expect(judge(sampleRow('unchanged', [timed('mbk', 1), timed('restic', 4)])).isMet).toBe(true);
  expect(judge(sampleRow('unchanged', [timed('mbk', 1), timed('restic', 3.9)])).isMet).toBe(false);
  expect(judge(sampleRow('unchanged', [timed('mbk', 1)])).isMet).toBeUndefined();
});

test('plugins cost what the time with them is above that without', () => {
  const { judge } = claimOf('plugins');
  const without = timed('mbk, no plugins', 10);
  expect(judge(sampleRow('plugins', [timed('mbk', 10.9), without]))).toEqual({ measured: '9.0 %', isMet: true });
  expect(judge(sampleRow('plugins', [timed('mbk', 11), without])).isMet).toBe(false);
  expect(judge(sampleRow('plugins', [timed('mbk', 11)])).isMet).toBeUndefined();
});

test('a claim of size compares what is stored', () => {
  const claim = claims.find(({ claim: text }) => text === 'stored for models');
  const row = (own: number): ReturnType<typeof sampleRow> =>
    sampleRow('first-models', [
      sampleResult('mbk', [{ seconds: 1, storedBytes: own }]),
      sampleResult('borg', [{ seconds: 1, storedBytes: 2 ** 20 }]),
    ]);
  expect(claim?.judge(row(2 ** 20))).toEqual({ measured: '1.0 MiB, borg 1.0 MiB', isMet: true });
  expect(claim?.judge(row(2 ** 21)).isMet).toBe(false);
});

test('the most memory is that of the highest run of all rows', () => {
  const row = (id: string, peakBytes: number): ReturnType<typeof sampleRow> =>
    sampleRow(id, [
      sampleResult('mbk', [
        { seconds: 1, peakBytes: 2 ** 20 },
        { seconds: 1, peakBytes },
      ]),
    ]);
  expect(peakMemory([row('a', 100 * 2 ** 20), row('b', 200 * 2 ** 20)])).toEqual({
    measured: '200 MiB (the work b)',
    isMet: true,
  });
  expect(peakMemory([row('a', 251e6)]).isMet).toBe(false);
  expect(peakMemory([]).isMet).toBeUndefined();
});

test('growth is judged once every step that it needs was measured', () => {
  const row = (id: string, seconds: number, sourceBytes: number): ReturnType<typeof sampleRow> =>
    sampleRow(id, [sampleResult('mbk', [{ seconds, peakBytes: 100e6 }])], { sourceBytes });
  const claim = scaleClaims.find(({ claim: text }) => text.startsWith('time per byte'));
  expect(claim?.judge([row('models-1', 10, 1e9)])).toBeUndefined();
  expect(claim?.judge([row('models-1', 10, 1e9), row('models-20', 220, 20e9)])?.isMet).toBe(true);
  expect(claim?.judge([row('models-1', 10, 1e9), row('models-20', 300, 20e9)])?.isMet).toBe(false);
});
