/**
 * How many tensors a file may have to be looked at: with more, a snapshot or a comparison would take more than 64
 * MB above what one of an empty file takes. Models have hundreds, those of many experts thousands in each of their files.
 */

/** Where all of them stand in one header. */
export const mostTensors = 32_768;

/** Where a pickle describes them, or each has a header of its own: with the other members of an archive. */
export const mostMembers = 16_384;

/** Where five pickles stand before them. */
export const mostStorages = 12_288;
