"""Texts that ship with spikemem: the demo's statements, a conversation with questions, small talk, and pairs of facts."""

from spikemem.data.corpus.talk import Conversation, Facts, Question, load_conversation, load_facts, load_small_talk

__all__ = ["Conversation", "Facts", "Question", "load_conversation", "load_facts", "load_small_talk"]
