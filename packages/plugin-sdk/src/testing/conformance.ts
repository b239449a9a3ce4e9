/**
 * The suite that every plugin passes, ours and anyone's: a valid manifest; answers that are the same each time, plain
 * data and within their limits; the signal heeded; and for files cut short, changed and made up an answer or a
 * LayoutError, at a bounded cost.
 */

import { defaultOptions } from '../default-options.ts';
import { definePlugin } from '../define-plugin.ts';
import type { JsonObject } from '../json.ts';
import { magicSpan, matchingRule } from '../match.ts';
import type { Plugin } from '../plugin.ts';
import { declareDiffTests } from './diff-tests.ts';
import { declareExamineTests } from './examine-tests.ts';
import { declareFolderTests } from './folder-tests.ts';
import { declareLayoutTests } from './layout-tests.ts';
import type { FolderSample, PluginSample, TestRunner } from './sample.ts';

export interface ConformanceOptions {
  /** Valid files of the plugin's kinds; at least one, or a folder. Small ones keep the suite quick. */
  readonly samples: readonly PluginSample[];
  readonly folders?: readonly FolderSample[];
  /** Changed copies of each sample; 200 unless given. The changes are the same on every run. */
  readonly mutations?: number;
  /** Options that the plugin gets; the defaults of its schema unless given. */
  readonly options?: JsonObject;
}

/** What the tests of one sample need. */
export interface SampleTests {
  readonly sample: PluginSample;
  readonly kind: string;
  /** Of the rule that holds for the sample. */
  readonly reads: 'random' | 'stream';
  readonly mutations: number;
  readonly options: JsonObject;
}

/** Declares the tests for `plugin` with the runner's functions. */
export function pluginConformance(runner: TestRunner, plugin: Plugin, options: ConformanceOptions): void {
  const { describe, expect, test } = runner;
  const { folders = [], mutations = 200, samples } = options;
  const given = options.options ?? defaultOptions(plugin.options);
  if (samples.length === 0 && folders.length === 0) throw new TypeError('expected at least one sample, got none');

  describe(`plugin ${plugin.name}`, () => {
    test('has a valid manifest', () => {
      expect(definePlugin(plugin)).toEqual(plugin);
    });

    test('has a manifest of plain data', () => {
      const { apiVersion, description, folders: folderRules, match, name, options: schema, version } = plugin;
      const data = { apiVersion, description, folders: folderRules, match, name, options: schema, version };
      expect(JSON.parse(JSON.stringify(data))).toEqual(
        Object.fromEntries(Object.entries(data).filter(([, value]) => value !== undefined)),
      );
    });

    for (const sample of samples) {
      describe(sample.path, () => {
        const rule = matchingRule(plugin.match, {
          path: sample.path,
          head: sample.bytes.subarray(0, magicSpan(plugin.match)),
        });
        test('is matched by its path and first bytes', () => {
          expect(typeof rule?.kind).toEqual('string');
        });
        const reads = rule?.reads ?? 'random';
        const tests: SampleTests = { sample, kind: rule?.kind ?? '', reads, mutations, options: given };
        if (plugin.layout !== undefined) declareLayoutTests(runner, plugin, tests);
        const examines =
          reads === 'stream' ? plugin.scan !== undefined : (plugin.inspect ?? plugin.validate) !== undefined;
        if (examines) declareExamineTests(runner, plugin, tests);
        if (plugin.diff !== undefined) declareDiffTests(runner, plugin, tests);
      });
    }
    for (const sample of folders) {
      describe(`${sample.path}/`, () => declareFolderTests(runner, plugin, sample, given));
    }
  });
}
