"""The dashboard in a browser: a web server that starts one dashboard a visitor and carries its terminal to them.

It shows nothing itself and knows no cluster: what it serves is `hactl` again, in a process of its own, under the
dashboard's own rules. This room owns who may come in (gate), where from (door), and that nothing stays behind
(session). Only here may textual_serve and aiohttp be imported; both come with the extra `web`.
"""
