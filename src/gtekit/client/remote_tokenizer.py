"""The tokenizer of a served model, as far as cutting and explaining texts needs it."""

from typing import TYPE_CHECKING

import numpy as np

from gtekit.client.jobs import Context, ListJob
from gtekit.client.wire import check_characters, not_ours
from gtekit.tokenizer import TextTokens

if TYPE_CHECKING:
    from gtekit.client.transport import Transport


class RemoteTokenizer:
    """Asks the server where tokens are; the same answers as of `Tokenizer`."""

    def __init__(self, transport: "Transport", context: Context) -> None:
        self._transport, self._context = transport, context
        self.max_tokens = context.max_tokens
        self.cls_id = context.facts.cls_id
        self.sep_id = context.facts.sep_id

    def encode_with_offsets(self, text: str, index: int = 0) -> TextTokens:
        """Give all tokens of one text with their places in it; special tokens are left out.

        Args:
            text: Of any length that the server takes.
            index: The place of the text in its list, for error messages.
        """
        check_characters([text], index)
        job = ListJob(self._context, [text], "/token_places", "texts")
        self._transport.ask_all(job.count, job.ask, job.take, in_turn=job.in_turn)
        (places,) = job.result()
        try:
            return TextTokens(
                np.array(places["token_ids"], np.int32),
                np.array(places["starts"], np.int64),
                np.array(places["ends"], np.int64),
                np.array(places["is_word_start"], np.bool_),
            )
        except (TypeError, KeyError, ValueError):
            raise not_ours(self._context.address, "POST /token_places gives no places") from None
