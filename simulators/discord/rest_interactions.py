"""Interaction callbacks and the webhook routes of their tokens."""

from __future__ import annotations

from simulators.discord.answers import Answers
from simulators.discord.limits import Quota
from simulators.discord.routes import Call, Reply, Route

QUICK = Quota(5, 2.0)


class InteractionRoutes:
    """Handlers that need no bot token: the token in the path is enough."""

    def __init__(self, answers: Answers) -> None:
        self._answers = answers

    def routes(self) -> list[Route]:
        """The routes served here."""
        callback = "/interactions/{interaction_id}/{interaction_token}/callback"
        hook = "/webhooks/{webhook_id}/{webhook_token}"
        one, original = hook + "/messages/{message_id}", hook + "/messages/@original"
        return [
            Route("create_interaction_response", "POST", callback, self.callback, "token"),
            Route("execute_webhook", "POST", hook, self.followup, "token", QUICK),
            Route("get_webhook_message", "GET", one, self.get, "token"),
            Route("update_webhook_message", "PATCH", one, self.update, "token", QUICK),
            Route("delete_webhook_message", "DELETE", one, self.delete, "token", QUICK),
            Route("get_original_webhook_message", "GET", original, self.get, "token"),
            Route("update_original_webhook_message", "PATCH", original, self.update, "token", QUICK),
            Route("delete_original_webhook_message", "DELETE", original, self.delete, "token", QUICK),
        ]

    def callback(self, call: Call) -> Reply:
        """The first answer; 200 with what was made for `with_response`, else 204."""
        token = call.path["interaction_token"]
        _, described = self._answers.callback(call.id("interaction_id"), token, call.body, call.files)
        if call.query.get("with_response", "").lower() in ("1", "true"):
            return 200, described
        return 204, None

    def followup(self, call: Call) -> Reply:
        """A further message."""
        post = self._answers.followup(call.id("webhook_id"), call.path["webhook_token"], call.body, call.files)
        return 200, post.data

    def get(self, call: Call) -> Reply:
        """One message made by the token."""
        _, post = self._answers.find(call.id("webhook_id"), call.path["webhook_token"], self._message(call))
        return 200, post.data

    def update(self, call: Call) -> Reply:
        """Edit one message made by the token."""
        token = call.path["webhook_token"]
        post = self._answers.edit(call.id("webhook_id"), token, self._message(call), call.body, call.files)
        return 200, post.data

    def delete(self, call: Call) -> Reply:
        """Delete one message made by the token."""
        self._answers.delete(call.id("webhook_id"), call.path["webhook_token"], self._message(call))
        return 204, None

    def _message(self, call: Call) -> str:
        message = call.path.get("message_id", "@original")
        return message if message.isdigit() else "@original"
