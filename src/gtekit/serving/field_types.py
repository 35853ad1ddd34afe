"""Fields that several dialects have, with what their values must be.

What stands in `extra_json_schema` is said in the OpenAPI document and checked elsewhere, where the message can name the
text, the model and its limits, and the dialect has its own status for it.
"""

from typing import Annotated

from msgspec import Meta

from gtekit.config import FEWEST_TOKENS

Text = Annotated[str, Meta(extra_json_schema={"minLength": 1})]
Texts = Annotated[list[Text], Meta(extra_json_schema={"minItems": 1})]
PromptName = Annotated[str, Meta(min_length=1)]  # checked here: it is passed over where a prompt is given as well
Dimensions = Annotated[int, Meta(extra_json_schema={"minimum": 1})]
MaxTokens = Annotated[int, Meta(extra_json_schema={"minimum": FEWEST_TOKENS})]
