"""Texts that ship with spikemem: the demo's statements, and a conversation with questions."""

from spikemem.corpus.talk import Conversation, Question, load_conversation

__all__ = ["Conversation", "Question", "load_conversation"]
