/** The `validate` of the plugin: every rule of docs/plugins/gguf.md, on one file and on the set that it begins. */

import type { Finding, Reader, ReaderContext } from '@mbk/plugin-sdk';
import { problemList, type Problems } from './codes.ts';
import { checkAdapter } from './rules/adapter-rules.ts';
import { checkArchitecture } from './rules/architecture-rules.ts';
import { checkData } from './rules/data-rules.ts';
import { checkEncoding } from './rules/encoding-rules.ts';
import { checkFileType } from './rules/file-type-rules.ts';
import { checkFinite } from './rules/finite-rules.ts';
import { checkKeys } from './rules/key-rules.ts';
import { checkModel } from './rules/model-rules.ts';
import { readShards } from './rules/shard-rules.ts';
import { checkTokenizer } from './rules/tokenizer-rules.ts';
import { type GgufSurvey, type Surveyor, surveyOf } from './survey.ts';

/** Errors first. LayoutError `gguf/…` for a file whose very first bytes are wrong. */
export async function validateGguf(
  reader: Reader,
  context: ReaderContext,
  surveyor: Surveyor = surveyOf,
): Promise<readonly Finding[]> {
  const problems = problemList();
  const survey = await surveyor(reader, context);
  if (survey === undefined) {
    problems.report('not-gguf', 'the file does not begin with GGUF', {
      offset: 0,
      remedy: 'If it was downloaded, look whether it is an error page or a pointer file of Git LFS.',
    });
    return problems.findings();
  }
  problems.include(survey.findings);
  checkEncoding(survey, problems);
  checkKeys(survey, problems);
  if (survey.end !== undefined) await checkRest(reader, survey, problems, context);
  return problems.findings();
}

/** What can only be judged of a header that was read to its end. */
async function checkRest(
  reader: Reader,
  survey: GgufSurvey,
  problems: Problems,
  context: ReaderContext,
): Promise<void> {
  const shards = await readShards(reader, survey, problems, context);
  if (shards.set !== 'later shard') {
    const profile = checkArchitecture(survey, shards, problems);
    if (profile === 'adapter') checkAdapter(survey, problems);
    checkModel(survey, { profile, shards }, problems);
    checkTokenizer(survey, profile, problems);
    if (shards.set !== 'incomplete set') checkFileType(survey, shards, problems);
  }
  await checkData(reader, survey, problems, context);
  await checkFinite(reader, survey, problems, context);
}
