/** Datasets: record files one by one, and folders of them with their manifests. */

import { definePlugin, type Plugin } from '@mbk/plugin-sdk';
import { diff } from './diff.ts';
import { drift } from './drift.ts';
import { fileExaminer } from './examine.ts';
import { diffFolder } from './folder/diff.ts';
import { folderExaminer } from './folder/examine.ts';
import { exportFolder } from './folder/export.ts';
import { manifest } from './manifest.ts';
import type { DatasetOptions } from './options.ts';
import { scan } from './scan.ts';

export const plugin: Plugin = definePlugin<DatasetOptions>({
  ...manifest,
  ...fileExaminer(),
  scan,
  drift,
  diff,
  folder: { ...folderExaminer(), drift, diff: diffFolder, export: exportFolder },
});

export { codes, type DatasetCode } from './codes.ts';
export type { DatasetOptions } from './options.ts';
