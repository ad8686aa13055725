"""Texts that ship with spikemem: the demo's statements, a conversation with questions, and small talk."""

from spikemem.corpus.talk import Conversation, Question, load_conversation, load_small_talk

__all__ = ["Conversation", "Question", "load_conversation", "load_small_talk"]
