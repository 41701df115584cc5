"""Areas and the second-tier centres (乡镇二级平台) that work in them."""

from uuid import UUID

from sqlmodel import Field, SQLModel

from services.core.areas import AreaLevel
from services.core.columns import enum_column
from services.core.ids import new_id


class Area(SQLModel, table=True):
    """A division of the country by its national code."""

    __tablename__ = "area"

    code: str = Field(primary_key=True)
    name_zh: str
    name_en: str
    level: AreaLevel = Field(sa_column=enum_column(AreaLevel))


class CentreBase(SQLModel):
    """What everybody may know of a centre."""

    area_code: str = Field(unique=True)
    name_zh: str
    name_en: str
    phone: str
    latitude: float
    longitude: float


class Centre(CentreBase, table=True):
    """The centre of one town or street."""

    __tablename__ = "centre"

    id: UUID = Field(default_factory=new_id, primary_key=True)
    version: int = 1


class CentrePublic(CentreBase):
    """A centre as the API shows it."""

    id: UUID
