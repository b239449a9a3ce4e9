import { exitCodes } from '@mbk/core';
import { Args, Flags } from '../oclif.ts';
import { readdirSync, readFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { MbkCommand } from '../base-command.ts';
import { escapeMessage } from '../escape.ts';
import { isFolder, loadPlugins } from '../plugins/plugin-package.ts';
import { runTests } from '../plugins/small-runner.ts';
import type { TestResult } from '../plugins/small-runner.ts';

export default class PluginsCheck extends MbkCommand {
  static override description =
    'Runs the conformance suite on a plugin: whether its manifest is valid, whether its answers are the same each time and ' +
    'plain data, and whether it survives files that are cut short, changed and made up. The samples are those that --sample ' +
    'names, else the files in the folder samples of the package. It runs the code of the plugin. Ends with exit code 3 when a ' +
    'test fails.';
  static override examples = ['<%= config.bin %> plugins check ./mbk-plugin-tokenizer'];
  static override args = {
    path: Args.string({ description: 'Folder of the package, or a module.', required: true }),
  };
  static override flags = {
    sample: Flags.string({ description: 'A valid file of a kind that it knows.', multiple: true, helpValue: 'FILE' }),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(PluginsCheck);
    const { pluginConformance } = await import('@mbk/plugin-sdk/testing');
    const files = flags.sample ?? samplesIn(resolve(args.path));
    const samples = files.map((file) => ({
      path: basename(file),
      bytes: new Uint8Array(readFileSync(file)),
    }));
    const results: TestResult[] = [];
    for (const { plugin } of await loadPlugins(args.path)) {
      const own = samples.map((one) => ({ ...one, hasLayout: plugin.layout !== undefined }));
      await runTests(
        (runner) => pluginConformance(runner, plugin, { samples: own }),
        (result) => {
          results.push(result);
          const { name, problem } = result;
          this.out.event(
            { type: 'finding', test: name, passed: problem === undefined, problem: problem ?? null },
            (_, style) =>
              problem === undefined ? '' : `${style('red', 'failed:')} ${escapeMessage(`${name}: ${problem}`)}`,
          );
        },
        this.signal,
      );
    }
    const failed = results.filter(({ problem }) => problem !== undefined).length;
    const passed = results.length - failed;
    this.out.result({ type: 'summary', passed, failed, samples: files.length }, () =>
      failed === 0 ? `${passed} tests passed` : `${passed} tests passed, ${failed} failed`,
    );
    if (failed > 0) this.endWith(exitCodes.incomplete);
  }
}

function samplesIn(path: string): readonly string[] {
  const folder = join(path, 'samples');
  return isFolder(folder) ? readdirSync(folder).map((name) => join(folder, name)) : [];
}
