import { MbkError } from '@mbk/core';
import { Args } from '../oclif.ts';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { MbkCommand } from '../base-command.ts';
import { escapeForTerminal } from '../escape.ts';
import { readPackage } from '../package.ts';
import { isPluginName, newPlugin } from '../plugins/new-plugin.ts';

export default class PluginsCreate extends MbkCommand {
  static override description =
    'Writes a plugin that works as it is, with tests and a sample, into the new folder mbk-plugin-NAME: the start of one of ' +
    'your own.';
  static override examples = ['<%= config.bin %> plugins create tokenizer'];
  static override args = {
    name: Args.string({ description: 'What the plugin is called.', required: true }),
  };

  async run(): Promise<void> {
    const { args } = await this.parse(PluginsCreate);
    if (!isPluginName(args.name)) {
      throw new MbkError('usage-invalid', 'a plugin is called by a-z, 0-9 and dashes, at most 64 of them');
    }
    const folder = resolve(`mbk-plugin-${args.name}`);
    const files = newPlugin(args.name, readPackage().version);
    try {
      mkdirSync(folder);
      for (const [path, text] of Object.entries(files)) {
        mkdirSync(dirname(join(folder, path)), { recursive: true });
        writeFileSync(join(folder, path), text, { flag: 'wx' });
      }
    } catch (cause) {
      throw new MbkError('target-failed', `${folder} cannot be written`, { cause, details: { path: folder } });
    }
    this.out.result({ folder, files: Object.keys(files) }, (value) =>
      [escapeForTerminal(value.folder), ...value.files.map((path) => `  ${path}`)].join('\n'),
    );
  }
}
