"""What the catalogue refuses."""

from services.core.errors import InvalidInput


class NotOnTheMenu(InvalidInput):
    code = "not_on_the_menu"
    title_zh = "该服务项目目前不能预订"
    title_en = "This service cannot be ordered now"
