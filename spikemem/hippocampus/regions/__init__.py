"""The regions of the hippocampus, one file each, and what they share.

contract: what a region is.   rhythm: theta and gamma.   ec, ec_lex, ec_ctx, cue_words: entorhinal cortex and what a cue brings.   dg, ca3.
ca1: index cells and subiculum; their stored keys in index_cells, what these were taught in pathways and bcpnn, and one class for each
pathway in pathway_cells.   gates: SPMN's gates.
"""
