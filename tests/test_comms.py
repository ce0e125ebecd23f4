"""Comms: the kernel has no targets, and says so."""

from frontend import FrontEnd


def test_there_are_none(front: FrontEnd) -> None:
    for content in ({}, {"target_name": "jupyter.widget"}):
        reply = front.request("comm_info_request", content).ok().reply
        assert reply is not None
        assert reply.content["comms"] == {}


def test_an_unknown_target_is_closed_at_once(front: FrontEnd) -> None:
    """A comm that was left open made the front end wait for a widget for ever. `data` is optional."""
    for extra in ({"data": {}}, {}):
        content = {"comm_id": "c1", "target_name": "jupyter.widget", **extra}
        (closed,) = front.request("comm_open", content, replies=False).take("comm_close")
        assert closed.content["comm_id"] == "c1"


def test_messages_of_an_unknown_comm_are_passed_over(front: FrontEnd) -> None:
    front.request("comm_msg", {"comm_id": "nobody", "data": {}}, replies=False)
    front.request("comm_close", {"comm_id": "nobody", "data": {}}, replies=False)


def test_buffers_are_surplus_frames_and_welcome(front: FrontEnd) -> None:
    content = {"comm_id": "nobody", "data": {}}
    front.request("comm_msg", content, replies=False, buffers=[b"\x00\xff", b""])
